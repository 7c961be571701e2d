package dev.diva.feedback;

import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.engine.Tensors;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * What a projection that is anchored in texts does around its layer. Before it: (embedding of unit length - mean) / deviation. After it: each
 * condition token gets the length that the teacher's own have there. Stored as {@code center} [in], {@code scale} [1] and {@code lengths} [tokens].
 *
 * @param center of the embeddings that the layer is given, or null while it is unknown
 * @param lengths of the condition tokens, which are as many as these
 */
public record Anchor(EmbeddingCenter center, float[] lengths) {
    private static final String CENTER = "center";
    private static final String SCALE = "scale";
    private static final String LENGTHS = "lengths";
    private static final String TEXT_CENTER = "text_center";
    private static final String TEXT_SCALE = "text_scale";

    public Anchor {
        lengths = lengths.clone();
    }

    @Override
    public float[] lengths() {
        return lengths.clone();
    }

    /** Whether a file holds one. */
    static boolean in(SafetensorsFile file) {
        return file.info(LENGTHS) != null;
    }

    /** Centre of the embeddings of captions in a file of {@code diva anchor}. */
    static EmbeddingCenter texts(SafetensorsFile file) {
        if (file.info(LENGTHS) == null || file.info(TEXT_CENTER) == null || file.info(TEXT_SCALE) == null) {
            throw new BadInputException(file.location() + ": is not of diva anchor: expected " + LENGTHS + ", "
                    + TEXT_CENTER + " and " + TEXT_SCALE);
        }
        return new EmbeddingCenter(
                Tensors.toFloats(file.read(TEXT_CENTER)), Tensors.toFloats(file.read(TEXT_SCALE))[0]);
    }

    /** Condition tokens of that in a file, if it holds one. */
    static Optional<Integer> tokens(SafetensorsFile file) {
        TensorInfo lengths = file.info(LENGTHS);
        return lengths == null || lengths.shape().length != 1
                ? Optional.empty()
                : Optional.of(Math.toIntExact(lengths.shape()[0]));
    }

    /**
     * That of a file.
     *
     * @throws BadInputException when it does not fit a layer of these widths
     */
    static Anchor read(SafetensorsFile file, long in, long out) {
        TensorInfo lengths = file.info(LENGTHS);
        if (lengths.shape().length != 1 || lengths.shape()[0] < 1 || out % lengths.shape()[0] != 0) {
            throw new BadInputException(file.location() + ": lengths is " + Arrays.toString(lengths.shape())
                    + ", expected [condition tokens], by which the layer's " + out + " outputs can be divided");
        }
        float[] values = Tensors.toFloats(file.read(LENGTHS));
        TensorInfo center = file.info(CENTER);
        if (center == null) {
            return new Anchor(null, values);
        }
        if (!Arrays.equals(center.shape(), new long[] {in}) || file.info(SCALE) == null) {
            throw new BadInputException(file.location() + ": center is " + Arrays.toString(center.shape())
                    + ", expected [" + in + "] with scale beside it: another tower's, or a damaged file");
        }
        float scale = Tensors.toFloats(file.read(SCALE))[0];
        if (!(scale > 0)) {
            throw new BadInputException(file.location() + ": scale is " + scale + ", expected above 0");
        }
        return new Anchor(new EmbeddingCenter(Tensors.toFloats(file.read(CENTER)), scale), values);
    }

    /** As a file holds it. */
    public Map<String, Tensor> tensors() {
        Map<String, Tensor> tensors = new TreeMap<>(Map.of(LENGTHS, Tensors.of(lengths, lengths.length)));
        if (center != null) {
            float[] mean = center.mean();
            tensors.put(CENTER, Tensors.of(mean, mean.length));
            tensors.put(SCALE, Tensors.of(new float[] {(float) center.deviation()}, 1));
        }
        return tensors;
    }

    /** Embeddings as the layer takes them, fp32 [..., in]. */
    Tensor before(Tensor embeddings) {
        float[] mean = center.mean();
        Tensor x = unit(embeddings.to(torch.kFloat()));
        return x.sub(Tensors.onto(Tensors.of(mean, mean.length), x.device(), torch.kFloat()))
                .div(new Scalar((float) center.deviation()));
    }

    /** What the layer gives, [..., tokens * width], with the lengths of the condition. */
    Tensor after(Tensor outputs) {
        long[] shape = outputs.shape();
        Tensor tokens =
                unit(outputs.to(torch.kFloat()).reshape(-1, lengths.length, shape[shape.length - 1] / lengths.length));
        return tokens.mul(Tensors.onto(Tensors.of(lengths, lengths.length, 1), tokens.device(), torch.kFloat()))
                .reshape(shape);
    }

    private static Tensor unit(Tensor x) {
        return x.div(x.square()
                .sum(new long[] {-1}, true, new ScalarTypeOptional())
                .sqrt()
                .clamp_min(new Scalar(Float.MIN_NORMAL)));
    }
}
