package dev.diva.clip;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.model.Activation;
import dev.diva.model.TransformerConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A SigLIP tower of timm, by whose name open_clip builds it. Heads and activation are told by the name alone: those of timm 1.0's {@code
 * vision_transformer.py}.
 *
 * @param name {@code timm_model_name}
 */
record TimmTrunk(String name) {
    private static final String TANH_NAME = "gelu_tanh";
    private static final Pattern SIGLIP = Pattern.compile("vit_\\w+_siglip(_\\d+)?");

    /** The towers that timm gives the tanh form of the GELU; the others have the exact one. */
    private static final Pattern TANH = Pattern.compile(
            "vit_(base_patch32|so400m_patch16|giantopt_patch16)_siglip_.*|vit_large_patch16_siglip_512");

    /** Names of timm 1.0.31 with attention pooling, without {@code vit_}. */
    private static final List<String> PUBLISHED = List.of(
            "base_patch16_siglip_224",
            "base_patch16_siglip_256",
            "base_patch16_siglip_384",
            "base_patch16_siglip_512",
            "base_patch32_siglip_256",
            "large_patch16_siglip_256",
            "large_patch16_siglip_384",
            "large_patch16_siglip_512",
            "so400m_patch14_siglip_224",
            "so400m_patch14_siglip_378",
            "so400m_patch14_siglip_384",
            "so400m_patch16_siglip_256",
            "so400m_patch16_siglip_384",
            "so400m_patch16_siglip_512",
            "giantopt_patch16_siglip_256",
            "giantopt_patch16_siglip_384");

    /** Shapes of timm's towers. */
    private enum Size {
        BASE("base", 768, 12, 12),
        LARGE("large", 1024, 24, 16),
        SO400M("so400m", 1152, 27, 16),
        GIANT("giantopt", 1536, 40, 16);

        private final String label;
        private final long width;
        private final int layers;
        private final long heads;

        Size(String label, long width, int layers, long heads) {
            this.label = label;
            this.width = width;
            this.layers = layers;
            this.heads = heads;
        }

        private boolean fits(TransformerConfig other) {
            return width == other.hiddenSize()
                    && layers == other.numHiddenLayers()
                    && heads == other.numAttentionHeads();
        }

        private boolean isOf(String name) {
            return name.startsWith("vit_" + label + "_patch");
        }
    }

    /**
     * The tower that a config names.
     *
     * @throws BadInputException when it is none of SigLIP's
     */
    static TimmTrunk of(ConfigJson vision, TensorShapes shapes) {
        String name = vision.text("timm_model_name", "");
        boolean poolsByAttention =
                "map".equals(vision.text("timm_pool", "")) && shapes.pooling() == VisionConfig.Pooling.MAP;
        if (!poolsByAttention
                || !"none".equals(vision.text("timm_proj", "none"))
                || !SIGLIP.matcher(name).matches()) {
            throw new BadInputException(vision.location() + ": timm_model_name is " + name
                    + ": of timm's towers SigLIP's (vit_*_siglip_*, timm_pool map, timm_proj none), PE-Core's"
                    + " (vit_pe_core_*), EVA's (eva02_*, eva_giant_*), OpenAI's (vit_*_clip_*) and MobileCLIP-B's"
                    + " (vit_base_mci_*) are supported;"
                    + " no setting helps: choose another model");
        }
        return new TimmTrunk(name);
    }

    /** What the name tells, unless {@code timm_kwargs} has another {@code act_layer}. */
    Activation activation(ConfigJson vision) {
        ConfigJson kwargs = vision.at("timm_kwargs");
        boolean tanh = kwargs.has("act_layer") ? kwargs.text("act_layer", "").equals(TANH_NAME) : isTanh(name);
        return tanh ? Activation.GELU_TANH : Activation.GELU;
    }

    /** What open_clip or timm would make otherwise of a tower that is described by this name: a line each, for people. */
    static List<String> notes(VisionConfig vision) {
        String name = name(vision);
        List<String> notes = new ArrayList<>();
        if (!PUBLISHED.contains(name.substring("vit_".length()))) {
            notes.add(
                    "timm has no tower of this shape, so that neither it nor open_clip can build the image tower, and diva"
                            + " alone reads the folder");
            return notes;
        }
        if (!name.endsWith("_" + vision.imageSize())) {
            notes.add("timm has no tower of this shape for " + vision.imageSize() + " pixels; it is called " + name
                    + ", which timm loads with img_size=" + vision.imageSize() + " and open_clip not at all");
        }
        if (isTanh(name) != (vision.transformer().activation() == Activation.GELU_TANH)) {
            notes.add(
                    "its image tower has the activation " + vision.transformer().activation()
                            + ", timm's tower of that shape the other form of the GELU: open_clip gives slightly other"
                            + " embeddings");
        }
        return notes;
    }

    private static boolean isTanh(String name) {
        return TANH.matcher(name).matches();
    }

    /** The heads that the name tells; of a tower of no published shape what {@code timm_kwargs} or the text tower of the same width says. */
    long heads(ConfigJson vision, ConfigJson text, long width) {
        for (Size size : Size.values()) {
            if (size.isOf(name) && size.width == width) {
                return size.heads;
            }
        }
        ConfigJson kwargs = vision.at("timm_kwargs");
        return kwargs.has("num_heads") ? divisor(kwargs, "num_heads", width) : headsOfTextTower(vision, text, width);
    }

    /** A number of heads that a config tells. */
    static long divisor(ConfigJson kwargs, String key, long width) {
        long heads = kwargs.number(key, 0);
        if (heads == 0 || width % heads != 0) {
            throw kwargs.wrong(key, "a divisor of width " + width);
        }
        return heads;
    }

    /** Of a tower of unknown name: the heads of the text tower of the same width, as SigLIP's two towers have the same shape. */
    static long headsOfTextTower(ConfigJson vision, ConfigJson text, long width) {
        if (text.number("width", 512) == width) {
            return text.number("heads", 8);
        }
        throw new BadInputException(vision.location() + ": the number of heads of timm model "
                + vision.text("timm_model_name", "") + " of width " + width
                + " is not known; add \"timm_kwargs\": {\"num_heads\": N} to vision_cfg");
    }

    /**
     * Describes a SigLIP tower to open_clip. A tower of no published shape gets heads and activation beside a made-up name: our reader
     * understands that, open_clip has no way to build it, as {@link #notes} tell.
     */
    static void describe(ObjectNode node, VisionConfig vision) {
        node.put("timm_model_name", name(vision));
        node.put("timm_model_pretrained", false).put("timm_pool", "map").put("timm_proj", "none");
        if (published(vision).isEmpty()) {
            boolean tanh = vision.transformer().activation() == Activation.GELU_TANH;
            node.putObject("timm_kwargs")
                    .put("num_heads", vision.transformer().numAttentionHeads())
                    .put("act_layer", tanh ? TANH_NAME : "gelu");
        }
    }

    /** Of an image size that timm does not know the name of the nearest one, rather of the tower's own activation. */
    private static String name(VisionConfig vision) {
        String label = published(vision).map(size -> size.label).orElse("custom");
        String known = label + "_patch" + vision.patchSize() + "_siglip_";
        String own = known + vision.imageSize();
        boolean tanh = vision.transformer().activation() == Activation.GELU_TANH;
        Comparator<String> byActivation = Comparator.comparing(name -> isTanh("vit_" + name) != tanh);
        String name = PUBLISHED.contains(own)
                ? own
                : PUBLISHED.stream()
                        .filter(other -> other.startsWith(known))
                        .min(byActivation.thenComparing(other ->
                                Math.abs(Long.parseLong(other.substring(known.length())) - vision.imageSize())))
                        .orElse(own);
        return "vit_" + name;
    }

    private static Optional<Size> published(VisionConfig vision) {
        return Arrays.stream(Size.values())
                .filter(size -> size.fits(vision.transformer()))
                .findFirst();
    }
}
