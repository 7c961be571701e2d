package dev.diva.segment;

import dev.diva.BadInputException;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.clip.Clip;
import dev.diva.clip.VisionConfig;
import dev.diva.clip.VisionTower;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.model.KeyValues;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Side Adapter Network (CVPR 2023, arXiv 2302.12242) on a frozen CLIP with a class token: it proposes masks and, for each, biases for the
 * attention of CLIP's last layers, in which a copy of the class token for each mask then says what is in it.
 *
 * <p>Nothing in CLIP sees those copies, so CLIP runs once, as it is, and the copies attend to the keys and values of its patches: the
 * same numbers as one sequence under a mask, at half the work, and shared by all depths of the side network that are decoded.
 */
public final class San implements AutoCloseable {
    /** What a file may hold beside it: the CLIP and its texts, buffers of the loss, normalisation constants. */
    private static final Pattern NOT_TRAINED =
            Pattern.compile("(clip_visual_extractor|clip_rec_head|ov_classifier|criterion)\\..*" + "|pixel_(mean|std)");

    private final Clip clip;
    private final VisionTower tower;
    private final SanSettings settings;
    private final SanShape shape;
    private final Weights weights;
    private final Tensor positions; // CLIP's table, which SAN trains
    private final Tensor background; // [1, embedding]
    private final SideNetwork side;
    private final MaskDecoder decoder;

    /**
     * What a depth of the side network says of a batch.
     *
     * @param masks logits, [batch, queries, rows, columns], on the side network's grid
     * @param bias of the attention heads, [batch, heads, queries, rows, columns]
     * @param embeddings of the masks, of length 1, [batch, queries, embedding]
     * @param classes logits, the background last, [batch, queries, classes + 1]
     */
    public record Output(Tensor masks, Tensor bias, Tensor embeddings, Tensor classes) {}

    /** @param weights under SAN's names; the caller's */
    private San(Clip clip, Weights weights, SanSettings settings, SanShape shape) {
        VisionConfig vision = clip.config().vision();
        long width = vision.transformer().hiddenSize();
        this.clip = clip;
        this.tower = clip.visionTower();
        this.settings = settings;
        this.shape = shape;
        this.weights = weights;
        this.positions = weights.vector(SanFile.POSITIONS, vision.numTokens(), width);
        this.background = weights.vector(SanFile.BACKGROUND, 1, vision.projectionDim());
        Weights network = weights.at(SanFile.SIDE);
        this.side = new SideNetwork(network, shape, settings, width);
        this.decoder = new MaskDecoder(
                network.at("mask_decoder"), shape, vision.transformer().numAttentionHeads());
        weights.ignore(NOT_TRAINED);
        weights.finish();
    }

    /**
     * Loads a checkpoint of SAN's authors' code or a file of what SAN trains.
     *
     * @param settings what the tensors do not tell, a YAML file; null for {@code san.yaml} beside the checkpoint, or the CLIP's preset
     * @param clip frozen; the caller closes it, after this
     * @throws BadInputException for a CLIP without a class token, another CLIP than the one it was trained on, or tensors that do not fit
     */
    public static San load(Path file, Path settings, Clip clip) {
        requireClassToken(clip);
        VisionConfig vision = clip.config().vision();
        TensorSource source = SanFile.open(file);
        try (PointerScope scope = new PointerScope()) {
            SanSettings read = SanFile.settings(file, settings, vision);
            SanShape shape = SanShape.of(source);
            read.requireFit(vision, shape, settings == null ? file.toString() : settings.toString());
            SanFile.requireSameClip(source, clip, read.recognitionLayer());
            return new San(clip, Weights.frozen(source, Placement.cpu(Precision.FP32)), read, shape);
        } catch (RuntimeException e) {
            source.close();
            throw e;
        }
    }

    private static void requireClassToken(Clip clip) {
        if (clip.config().vision().pooling() != VisionConfig.Pooling.CLASS_TOKEN) {
            throw new BadInputException(
                    clip.file() + ": is a SigLIP, which has no class token; SAN names each mask by a copy"
                            + " of it, so there is no SAN on SigLIP; --method maskclip works for every tower");
        }
    }

    /** The CLIP that it sees with. */
    public Clip clip() {
        return clip;
    }

    /** What its tensors do not tell. */
    public SanSettings settings() {
        return settings;
    }

    /** Its sizes. */
    public SanShape shape() {
        return shape;
    }

    /** The learned vector of what is no class, [1, embedding]. */
    Tensor background() {
        return background;
    }

    /**
     * Masks and their classes, by the last block of the side network.
     *
     * @param pixels normalised and padded to a multiple of the side network's patch, [batch, 3, height, width]
     * @param classes unit vectors, the background last, [classes + 1, embedding]
     */
    public Output forward(Tensor pixels, Tensor classes) {
        return forward(pixels, classes, List.of(shape.blocks()), (name, value) -> {})
                .get(0);
    }

    /**
     * The same by several blocks of the side network.
     *
     * @param decoded numbers of blocks, from 1
     */
    List<Output> forward(Tensor pixels, Tensor classes, List<Integer> decoded, SideNetwork.Watch watch) {
        Tensor small = clipPixels(pixels);
        watch.saw("clip_pixels", small);
        List<Tensor> states = clipStates(small, watch);
        Tensor deep = states.get(settings.recognitionLayer());
        long[] grid = {small.size(2) / patch(), small.size(3) / patch()};
        List<Tensor> tokens =
                side.forward(pixels, block -> map(states.get(settings.fusion().get(block)), grid), watch);
        List<KeyValues> seen = tower.layers().keyValues(deep, settings.recognitionLayer()).stream()
                .map(keyValues -> keyValues.without(1))
                .toList();
        List<Output> outputs = new ArrayList<>();
        for (int block : decoded) {
            MaskDecoder.Masks masks =
                    decoder.forward(tokens.get(block), pixels.size(2) / shape.patch(), pixels.size(3) / shape.patch());
            Tensor embeddings = recognised(deep, seen, patchBias(masks.bias(), grid));
            outputs.add(new Output(masks.logits(), masks.bias(), embeddings, logits(embeddings, classes)));
        }
        return outputs;
    }

    private long patch() {
        return clip.config().vision().patchSize();
    }

    /** Sampled at steps of 1 / share, not of the ratio of the sizes; sizes are cut off in double precision. */
    private Tensor clipPixels(Tensor pixels) {
        double share = settings.clipResolution();
        long height = (long) (pixels.size(2) * share);
        long width = (long) (pixels.size(3) * share);
        if (height < patch() || width < patch()) {
            throw new BadInputException("a picture of " + pixels.size(3) + "x" + pixels.size(2) + " pixels leaves CLIP "
                    + width + "x" + height + ", less than one patch of " + patch());
        }
        return torch.upsample_bilinear2d(
                pixels, new long[] {height, width}, false, new DoubleOptional(share), new DoubleOptional(share));
    }

    /** What enters CLIP's layers and what each gives, as far as the first one of recognition. */
    private List<Tensor> clipStates(Tensor pixels, SideNetwork.Watch watch) {
        List<Tensor> states = new ArrayList<>();
        states.add(tower.embedAnySize(pixels, positions));
        watch.saw("clip.0", states.get(0));
        for (int i = 0; i < settings.recognitionLayer(); i++) {
            states.add(tower.layers().layer(i, states.get(i)));
            watch.saw("clip." + (i + 1), states.get(i + 1));
        }
        return states;
    }

    /** Patches [batch, 1 + patches, width] as a map [batch, width, rows, columns]. */
    private static Tensor map(Tensor state, long... grid) {
        return state.narrow(1, 1, grid[0] * grid[1])
                .transpose(1, 2)
                .reshape(state.size(0), state.size(2), grid[0], grid[1])
                .to(ScalarType.Float);
    }

    /** [batch, heads, queries, rows, columns] to [batch, heads, queries, patches of CLIP]: the largest value under each. */
    static Tensor patchBias(Tensor bias, long... grid) {
        return torch.adaptive_max_pool2d(bias.flatten(0, 1), grid)
                .get0()
                .view(bias.size(0), bias.size(1), bias.size(2), grid[0] * grid[1]);
    }

    private Tensor recognised(Tensor deep, List<KeyValues> seen, Tensor bias) {
        Tensor copies = deep.narrow(1, 0, 1).expand(-1, shape.queries(), -1);
        Tensor hidden = tower.layers().beside(copies, settings.recognitionLayer(), seen, bias);
        return TextClasses.unit(tower.projected(hidden).to(ScalarType.Float));
    }

    private Tensor logits(Tensor embeddings, Tensor classes) {
        return embeddings.matmul(classes.t()).mul(new Scalar(clip.logitScale()));
    }

    /** Frees its own weights; the CLIP stays. */
    @Override
    public void close() {
        weights.close();
    }
}
