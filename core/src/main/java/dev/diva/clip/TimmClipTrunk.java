package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.model.Activation;
import dev.diva.model.LayerForm;
import dev.diva.model.RotaryGrid;
import dev.diva.model.TransformerConfig;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * An image tower of timm that open_clip builds by its name: PE-Core, EVA-02-CLIP and EVA-CLIP of {@code eva.py}, OpenAI's form of {@code
 * vision_transformer.py}, and MobileCLIP-B of {@code vision_transformer_hybrid.py}. Its tensors tell the sizes; heads and rotary positions are told by the name alone: those of timm 1.0.31.
 */
final class TimmClipTrunk {
    private static final Pattern PE = Pattern.compile("vit_pe_core_\\w+");
    private static final Pattern EVA = Pattern.compile("eva02_\\w+|eva_giant_\\w+");
    private static final Pattern VIT = Pattern.compile("vit_\\w+_clip_(quickgelu_)?\\d+");
    private static final Pattern MCI = Pattern.compile("vit_\\w+_mci_\\d+");
    private static final Pattern SIZE = Pattern.compile(".*_patch(?<patch>[1-9]\\d{0,2})_(?<image>\\d{1,4})");
    private static final String POST_NORM = "eva02_enormous_";

    /** Widths whose heads are of 64, and those that have 16 heads, in all of these families. */
    private static final Set<Long> NARROW = Set.of(192L, 384L, 512L, 640L, 768L, 896L, 1024L);

    private static final Set<Long> WIDE = Set.of(1280L, 1408L, 1536L, 1664L, 1792L);
    private static final long HEAD_WIDTH = 64;
    private static final long HEADS_OF_WIDE = 16;

    private static final long POOL_HEADS = 8; // attn_pool_num_heads of every PE-Core
    private static final long EVA02_REFERENCE = 16; // ref_feat_shape of every EVA-02-CLIP: 224 / 14

    private final ConfigJson vision;
    private final ConfigJson kwargs;
    private final TensorShapes shapes;
    private final String name;
    private final boolean isPe;
    private final boolean isVit;
    private final boolean isMci;
    private final boolean isGated;

    private TimmClipTrunk(ConfigJson vision, TensorShapes shapes) {
        this.vision = vision;
        this.kwargs = vision.at("timm_kwargs");
        this.shapes = shapes;
        this.name = vision.text("timm_model_name", "");
        this.isPe = PE.matcher(name).matches();
        this.isVit = VIT.matcher(name).matches();
        this.isMci = MCI.matcher(name).matches();
        this.isGated = shapes.has("vision_model.encoder.layers.0.mlp.fc1_gate.weight");
    }

    /** Whether it is such a tower, by its name. */
    static boolean isNamed(String name) {
        return Stream.of(PE, EVA, VIT, MCI).anyMatch(kind -> kind.matcher(name).matches());
    }

    /**
     * Its shape.
     *
     * @param vision {@code vision_cfg}
     * @param text {@code text_cfg}
     * @throws BadInputException when it is told to be pooled or projected in another way, or its heads are not known
     */
    static VisionConfig of(ConfigJson vision, ConfigJson text, long embedDim, TensorShapes shapes) {
        return new TimmClipTrunk(vision, shapes).config(text, embedDim);
    }

    private VisionConfig config(ConfigJson text, long embedDim) {
        vision.requireOnly(Map.of("timm_pool", Set.of(isPe ? "map" : "token"), "timm_proj", Set.of("")));
        boolean hasPreNorm = shapes.has("vision_model.pre_layrnorm.weight");
        if (isPe != (shapes.pooling() == VisionConfig.Pooling.MAP)
                || (isPe || isVit) != hasPreNorm
                || isMci != (shapes.stem() != null)) {
            throw new BadInputException(
                    shapes.location() + ": is no tower of the kind that timm_model_name says, " + name);
        }
        long width = shapes.hiddenSize("vision_model");
        TransformerConfig layers = new TransformerConfig(
                width,
                shapes.intermediateSize("vision_model"),
                shapes.numLayers("vision_model"),
                heads(text, width),
                activation(),
                hasPreNorm ? 1e-5 : 1e-6,
                form());
        requireSizes(layers);
        boolean hasRotary = isPe || isGated;
        if (hasRotary && layers.headWidth() % 4 != 0) {
            throw new BadInputException(vision.location() + ": " + layers.numAttentionHeads() + " heads in a width of "
                    + width + ": rotary positions need heads whose width is a multiple of 4");
        }
        VisionForm form = new VisionForm(
                shapes.hasClassToken(),
                !hasPreNorm,
                hasPreNorm,
                VisionForm.Projection.BIASED,
                isPe ? pool() : null,
                hasRotary ? rotary() : null,
                false,
                shapes.stem());
        return new VisionConfig(
                layers,
                vision.side("image_size", shapes.imageSize()),
                shapes.patchSize(),
                shapes.pooling(),
                embedDim,
                form);
    }

    private Activation activation() {
        Activation plain = name.contains("_quickgelu_") ? Activation.QUICK_GELU : Activation.GELU;
        return isGated ? Activation.SILU : plain;
    }

    private LayerForm form() {
        boolean isPostNorm = kwargs.flag("use_post_norm", name.startsWith(POST_NORM));
        boolean hasScale = shapes.has("vision_model.encoder.layers.0.layer_scale1.lambda1");
        boolean hasNorm = shapes.has("vision_model.encoder.layers.0.self_attn.norm.weight");
        return new LayerForm(isPe || isVit || isMci, hasNorm, isGated, isPostNorm, hasScale);
    }

    private long heads(ConfigJson text, long width) {
        if (kwargs.has("num_heads")) {
            return TimmTrunk.divisor(kwargs, "num_heads", width);
        }
        if (NARROW.contains(width)) {
            return width / HEAD_WIDTH;
        }
        return WIDE.contains(width) ? HEADS_OF_WIDE : TimmTrunk.headsOfTextTower(vision, text, width);
    }

    private VisionForm.Pool pool() {
        long heads = kwargs.has("attn_pool_num_heads")
                ? TimmTrunk.divisor(kwargs, "attn_pool_num_heads", shapes.hiddenSize("vision_model"))
                : POOL_HEADS;
        return new VisionForm.Pool(heads, shapes.size("vision_model.head.mlp.fc1.weight", 0), 1);
    }

    /** PE was trained at the size that its name tells; with a class token it counts the patches from 1. */
    private RotaryGrid rotary() {
        long side = shapes.imageSize() / shapes.patchSize();
        double reference = kwargs.side("ref_feat_shape", isPe ? sideByName().orElse(side) : EVA02_REFERENCE);
        return new RotaryGrid(side, reference, isPe && shapes.hasClassToken() ? 1 : 0, isPe);
    }

    private OptionalLong sideByName() {
        Matcher size = SIZE.matcher(name);
        return size.matches()
                ? OptionalLong.of(Long.parseLong(size.group("image")) / Long.parseLong(size.group("patch")))
                : OptionalLong.empty();
    }

    /** Sizes that a config repeats have to be those of the tensors. */
    private void requireSizes(TransformerConfig layers) {
        kwargs.requireOnly(Map.of(
                "embed_dim", Set.of(Long.toString(layers.hiddenSize())),
                "depth", Set.of(Integer.toString(layers.numHiddenLayers())),
                "patch_size", Set.of(Long.toString(shapes.patchSize())),
                "img_size", Set.of(Long.toString(shapes.imageSize()))));
    }
}
