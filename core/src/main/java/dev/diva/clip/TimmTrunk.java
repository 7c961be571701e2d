package dev.diva.clip;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.model.Activation;
import dev.diva.model.TransformerConfig;
import java.util.Arrays;
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
        boolean tanh = kwargs.has("act_layer")
                ? kwargs.text("act_layer", "").equals(TANH_NAME)
                : TANH.matcher(name).matches();
        return tanh ? Activation.GELU_TANH : Activation.GELU;
    }

    /** Whether open_clip would build the tower of a model that is described by this name with another activation. */
    static boolean changesActivation(VisionConfig vision) {
        return published(vision).isPresent()
                && TANH.matcher(name(vision)).matches() != (vision.transformer().activation() == Activation.GELU_TANH);
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
     * understands that, open_clip has no way to build it.
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

    private static String name(VisionConfig vision) {
        String label = published(vision).map(size -> size.label).orElse("custom");
        return "vit_" + label + "_patch" + vision.patchSize() + "_siglip_" + vision.imageSize();
    }

    private static Optional<Size> published(VisionConfig vision) {
        return Arrays.stream(Size.values())
                .filter(size -> size.fits(vision.transformer()))
                .findFirst();
    }
}
