package dev.diva.diffusion.flux;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Shape of a flux-like denoiser.
 *
 * @param inChannels features of a 2 x 2 patch of the latent
 * @param vectorDim width of the condition vector
 * @param contextDim width of a condition token
 * @param hiddenSize width of the tokens inside
 * @param mlpRatio width inside an MLP, as a multiple of hiddenSize
 * @param numHeads attention heads
 * @param depth double blocks
 * @param depthSingle single blocks
 * @param axes numbers of a head that turn with token, row and column; even, and a whole head together
 * @param theta base of the turning angles
 * @param qkvBias whether queries, keys and values of double blocks have biases
 * @param guided whether the model is told a guidance scale
 */
public record FluxConfig(
        long inChannels,
        long vectorDim,
        long contextDim,
        long hiddenSize,
        double mlpRatio,
        long numHeads,
        int depth,
        int depthSingle,
        List<Long> axes,
        double theta,
        boolean qkvBias,
        boolean guided) {
    private static final int PATCH = 4; // 2 x 2
    private static final double THETA = 10000;

    public FluxConfig {
        axes = List.copyOf(axes);
        if (inChannels < PATCH || inChannels % PATCH != 0) {
            throw new BadInputException(
                    "in_channels is " + inChannels + ", expected a multiple of 4: patches of 2 x 2");
        }
        if (numHeads < 1 || hiddenSize < 1 || hiddenSize % numHeads != 0) {
            throw new BadInputException(
                    "hidden_size is " + hiddenSize + ", expected a multiple of num_heads " + numHeads);
        }
        long turning = axes.stream().mapToLong(Long::longValue).sum();
        boolean areEven = axes.size() == 3 && axes.stream().allMatch(axis -> axis > 0 && axis % 2 == 0);
        if (!areEven || turning != hiddenSize / numHeads) {
            throw new BadInputException("axes_dim is " + axes + ", expected three even numbers that add up to "
                    + hiddenSize / numHeads + ", the width of a head");
        }
        if (depth < 0
                || depthSingle < 0
                || depth + depthSingle < 1
                || vectorDim < 1
                || contextDim < 1
                || mlpRatio <= 0) {
            throw new BadInputException("depth " + depth + ", depth_single_blocks " + depthSingle + ", vec_in_dim "
                    + vectorDim + ", context_in_dim " + contextDim + ", mlp_ratio " + mlpRatio
                    + ": expected at least one block, and widths above 0");
        }
    }

    /** GenHancer's: 1.31 billion parameters. */
    public static FluxConfig published() {
        return of(16, 768, 4096, 3072, 24, 2, 4);
    }

    /**
     * GenHancer's in another size.
     *
     * @param latentChannels of the autoencoder; FLUX.1's has 16
     * @param hiddenSize a multiple of numHeads
     */
    public static FluxConfig of(
            long latentChannels,
            long vectorDim,
            long contextDim,
            long hiddenSize,
            long numHeads,
            int depth,
            int depthSingle) {
        long head = numHeads < 1 ? 0 : hiddenSize / numHeads;
        return new FluxConfig(
                PATCH * latentChannels,
                vectorDim,
                contextDim,
                hiddenSize,
                4,
                numHeads,
                depth,
                depthSingle,
                axesOf(head),
                THETA,
                true,
                true);
    }

    /** An eighth for the token and the rest in equal parts for row and column: 16, 56, 56 of 128. */
    private static List<Long> axesOf(long head) {
        long side = 7 * head / 32 * 2;
        return List.of(head - 2 * side, side, side);
    }

    /** Reads the names of FLUX.1's parameters; what is left out is as published. */
    public static FluxConfig read(ConfigJson json) {
        FluxConfig other = published();
        long hidden = json.number("hidden_size", other.hiddenSize);
        long heads = json.number("num_heads", other.numHeads);
        List<Long> axes = json.has("axes_dim")
                ? Arrays.stream(json.numbers("axes_dim", 0, 3)).boxed().toList()
                : axesOf(heads < 1 ? 0 : hidden / heads);
        try {
            return new FluxConfig(
                    json.number("in_channels", other.inChannels),
                    json.number("vec_in_dim", other.vectorDim),
                    json.number("context_in_dim", other.contextDim),
                    hidden,
                    json.fraction("mlp_ratio", other.mlpRatio),
                    heads,
                    Math.toIntExact(json.number("depth", other.depth)),
                    Math.toIntExact(json.number("depth_single_blocks", other.depthSingle)),
                    axes,
                    json.fraction("theta", THETA),
                    json.flag("qkv_bias", true),
                    json.flag("guidance_embed", true));
        } catch (BadInputException e) {
            throw new BadInputException(json.location() + ": " + e.getMessage(), e);
        }
    }

    /** What tensors do not tell, for people. */
    String assumption() {
        return "no denoiser.json beside it: heads of " + headDim()
                + " whose numbers turn with token, row and column as "
                + axes + " are assumed, with theta " + Math.round(theta)
                + ", as published; a denoiser.json with axes_dim and theta says otherwise";
    }

    /**
     * The shape that the tensors of a state dictionary tell; {@link #assumption} says what they do not.
     *
     * @throws BadInputException when it is none of such a denoiser
     */
    static FluxConfig of(TensorSource tensors) {
        long[] image = shape(tensors, "img_in.weight", 2);
        boolean hasSingle = tensors.info("single_blocks.0.linear2.weight") != null;
        long head = shape(
                tensors,
                hasSingle ? "single_blocks.0.norm.query_norm.scale" : "double_blocks.0.img_attn.norm.query_norm.scale",
                1)[0];
        long inner = hasSingle
                ? shape(tensors, "single_blocks.0.linear2.weight", 2)[1] - image[0]
                : shape(tensors, "double_blocks.0.img_mlp.0.weight", 2)[0];
        try {
            return new FluxConfig(
                    image[1],
                    shape(tensors, "vector_in.in_layer.weight", 2)[1],
                    shape(tensors, "txt_in.weight", 2)[1],
                    image[0],
                    (double) inner / image[0],
                    image[0] / Math.max(1, head),
                    count(tensors, "double_blocks"),
                    count(tensors, "single_blocks"),
                    axesOf(head),
                    THETA,
                    tensors.info("double_blocks.0.img_attn.qkv.bias") != null,
                    tensors.info("guidance_in.in_layer.weight") != null);
        } catch (BadInputException e) {
            throw new BadInputException(tensors.location() + ": " + e.getMessage(), e);
        }
    }

    private static long[] shape(TensorSource tensors, String name, int dimensions) {
        TensorInfo info = tensors.info(name);
        if (info == null || info.shape().length != dimensions || info.numel() == 0) {
            throw new BadInputException(tensors.location() + ": no flux-like denoiser in it: "
                    + (info == null ? "no " + name : info.toString()));
        }
        return info.shape();
    }

    private static int count(TensorSource tensors, String blocks) {
        Pattern name = Pattern.compile(blocks + "\\.(\\d{1,4})\\..*");
        return tensors.tensors().stream()
                .map(info -> name.matcher(info.name()))
                .filter(matcher -> matcher.matches())
                .mapToInt(matcher -> 1 + Integer.parseInt(matcher.group(1)))
                .max()
                .orElse(0);
    }

    /** The same as {@link #read} understands it. */
    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("in_channels", inChannels);
        json.put("vec_in_dim", vectorDim);
        json.put("context_in_dim", contextDim);
        json.put("hidden_size", hiddenSize);
        json.put("mlp_ratio", mlpRatio);
        json.put("num_heads", numHeads);
        json.put("depth", depth);
        json.put("depth_single_blocks", depthSingle);
        json.put("axes_dim", axes);
        json.put("theta", theta);
        json.put("qkv_bias", qkvBias);
        json.put("guidance_embed", guided);
        return json;
    }

    /** Channels of a latent. */
    public long latentChannels() {
        return inChannels / PATCH;
    }

    long headDim() {
        return hiddenSize / numHeads;
    }

    long mlpWidth() {
        return Math.round(hiddenSize * mlpRatio);
    }
}
