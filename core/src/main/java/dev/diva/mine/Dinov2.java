package dev.diva.mine;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Weights;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.checkpoint.format.Unwrapped;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import dev.diva.eval.ImageEncoder;
import dev.diva.model.Conv2d;
import dev.diva.model.LayerNorm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InterpolateFuncOptions;
import org.bytedeco.pytorch.LongVector;
import org.bytedeco.pytorch.LongVectorOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.bytedeco.pytorch.kBicubic;

/**
 * A frozen DINOv2 in transformers' layout (Dinov2Model): config.json, preprocessor_config.json and model.safetensors, its shards or
 * pytorch_model.bin. The feature of an image is its class token after the final norm. Images of another size than the position table's
 * are seen through a bicubic interpolation of it, as transformers 4.46 does.
 */
public final class Dinov2 implements ImageEncoder, AutoCloseable {
    private static final List<String> FILES = List.of(
            "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json");
    private static final int BATCH = 16;

    private final Weights weights;
    private final Dinov2Config config;
    private final Dinov2Preprocessing preprocessing;
    private final ImageDecoder decoder = ImageDecoder.reference();
    private final Conv2d patchEmbedding;
    private final Tensor classToken; // [1, 1, width]
    private final Tensor positions; // [1, 1 + patches of the image, width]
    private final List<Dinov2Layer> layers = new ArrayList<>();
    private final LayerNorm norm;

    private Dinov2(Path folder, Weights weights) {
        this.weights = weights;
        this.config = Dinov2Config.read(ConfigJson.read(folder.resolve("config.json")));
        this.preprocessing = Dinov2Preprocessing.of(folder.resolve("preprocessor_config.json"));
        long width = config.hiddenSize();
        long patch = config.patchSize();
        Weights embeddings = weights.at("embeddings");
        this.patchEmbedding =
                Conv2d.of(embeddings.at("patch_embeddings.projection"), 3, width, new Conv2d.Geometry(patch, patch, 0));
        this.classToken = embeddings.matrix("cls_token", 1, 1, width);
        embeddings.matrix("mask_token", 1, width); // for pre-training alone
        long table = 1 + config.positionsPerSide() * config.positionsPerSide();
        Tensor stored = embeddings.vector("position_embeddings", 1, table, width);
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            layers.add(new Dinov2Layer(weights.at("encoder.layer", i), config));
        }
        this.norm = new LayerNorm(weights.at("layernorm"), width, config.layerNormEps());
        weights.finish();
        this.positions = Scopes.keep(positions(stored, preprocessing.size()));
    }

    /**
     * Loads a folder.
     *
     * @throws BadInputException when it is no DINOv2, or its config disagrees with its tensors
     */
    public static Dinov2 load(Path folder, Precision precision) {
        return load(folder, Placement.cpu(precision));
    }

    /**
     * The same elsewhere.
     *
     * @throws BadInputException when it is no DINOv2, or its config disagrees with its tensors
     */
    public static Dinov2 load(Path folder, Placement placement) {
        Path file = FILES.stream()
                .map(folder::resolve)
                .filter(Files::isRegularFile)
                .findFirst()
                .orElseThrow(() -> new BadInputException(
                        folder + ": no DINOv2 in transformers' layout: expected config.json beside one of " + FILES));
        Weights weights = Weights.frozen(Unwrapped.of(TensorFile.open(file), "embeddings.cls_token"), placement);
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            return new Dinov2(folder, weights);
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** The position table at the grid of images of a side of {@code size} pixels. */
    private Tensor positions(Tensor stored, long size) {
        long side = config.positionsPerSide();
        long grid = size / config.patchSize();
        if (size == config.imageSize()) {
            return stored;
        }
        Tensor planes = stored.narrow(1, 1, side * side)
                .reshape(1, side, side, config.hiddenSize())
                .permute(0, 3, 1, 2); // [1, width, side, side]
        InterpolateFuncOptions options = new InterpolateFuncOptions();
        options.size().put(new LongVectorOptional(new LongVector(grid, grid)));
        options.mode().put(new kBicubic());
        options.align_corners().put(false);
        Tensor resized = torch.interpolate(planes, options).permute(0, 2, 3, 1).reshape(1, -1, config.hiddenSize());
        return torch.cat(new TensorVector(stored.narrow(1, 0, 1), resized), 1);
    }

    /** Side of the square images that {@link #images} takes, pixels. */
    public int imageSize() {
        return preprocessing.size();
    }

    @Override
    public float[] pixels(ImageEntry image) {
        return preprocessing.pixels(decoder.decode(image.read(), image.name()));
    }

    /** L2-normalised class tokens after the final norm, a row per image. */
    @Override
    public float[][] images(List<float[]> pixels) {
        float[][] rows = new float[pixels.size()][];
        int width = Math.toIntExact(config.hiddenSize());
        for (int from = 0; from < rows.length; from += BATCH) {
            int to = Math.min(rows.length, from + BATCH);
            try (PointerScope scope = new PointerScope();
                    NoGradGuard noGrad = new NoGradGuard()) {
                Tensor features =
                        hidden(tensor(pixels.subList(from, to))).select(1, 0).to(ScalarType.Float);
                Tensor norms = features.norm(new ScalarOptional(new Scalar(2.0)), new long[] {-1}, true);
                float[] values = BrokenWeights.requireNumbers(features.div(norms), weights);
                for (int i = from; i < to; i++) {
                    rows[i] = Arrays.copyOfRange(values, (i - from) * width, (i - from + 1) * width);
                }
            }
        }
        return rows;
    }

    private Tensor tensor(List<float[]> pixels) {
        int length = 3 * preprocessing.size() * preprocessing.size();
        float[] values = new float[pixels.size() * length];
        for (int i = 0; i < pixels.size(); i++) {
            System.arraycopy(pixels.get(i), 0, values, i * length, length);
        }
        return Tensors.of(values, pixels.size(), 3, preprocessing.size(), preprocessing.size());
    }

    /**
     * All tokens after the final norm, the class token first.
     *
     * @param pixels normalised, [batch, 3, imageSize, imageSize]
     * @return [batch, 1 + patches, width]
     */
    Tensor hidden(Tensor pixels) {
        Placement placement = weights.placement();
        Tensor x = pixels.to(placement.device(), placement.precision().dtype());
        Tensor patches = patchEmbedding.forward(x).flatten(2, -1).transpose(1, 2); // [batch, patches, width]
        Tensor first = classToken.to(patches.scalar_type()).expand(patches.size(0), 1, patches.size(2));
        Tensor hidden = torch.cat(new TensorVector(first, patches), 1).add(positions.to(patches.scalar_type()));
        for (Dinov2Layer layer : layers) {
            hidden = layer.forward(hidden);
        }
        return norm.forward(hidden);
    }

    @Override
    public void close() {
        Scopes.release(positions);
        weights.close();
    }
}
