package dev.diva.feedback.anchor;

import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.engine.Tensors;
import dev.diva.feedback.Anchor;
import dev.diva.feedback.EmbeddingCenter;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The ridge regression from centred and scaled embeddings to conditions, in closed form: it minimises {@code |X W + b - Y|^2 + ridge * n * |W|^2}
 * over n pairs, b without penalty. X has entries of mean square 1, so that ridge is the share of noise that embeddings are taken to have.
 *
 * @param center of the embeddings of captions
 * @param weight [out, in], fp32
 * @param bias [out], fp32: the mean condition
 * @param lengths mean length of each condition token
 */
record AnchorFit(EmbeddingCenter center, float[][] weight, float[] bias, float[] lengths) {
    /** @throws BadInputException when the embeddings do not differ */
    static AnchorFit of(AnchorSums sums, double ridge) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            double n = sums.count();
            Tensor mean = sums.x().div(new Scalar(n));
            Tensor covariance = sums.xx().div(new Scalar(n)).sub(torch.outer(mean, mean));
            double square = covariance.trace().item().toDouble() / mean.size(0);
            if (!(square > 0)) {
                throw new BadInputException("the captions' embeddings do not differ; give more captions");
            }
            double deviation = Math.sqrt(square);
            Tensor outputs = sums.y().div(new Scalar(n));
            Tensor cross = sums.xy().div(new Scalar(n)).sub(torch.outer(mean, outputs));
            Tensor penalty = torch.eye(mean.size(0), mean.options()).mul(new Scalar(ridge));
            Tensor solved = torch.linalg_solve(
                    covariance.div(new Scalar(square)).add(penalty), cross.div(new Scalar(deviation)));
            float[] weight = floats(solved.t());
            int in = Math.toIntExact(mean.size(0));
            float[][] rows = new float[weight.length / in][];
            for (int i = 0; i < rows.length; i++) {
                rows[i] = java.util.Arrays.copyOfRange(weight, i * in, (i + 1) * in);
            }
            return new AnchorFit(
                    new EmbeddingCenter(floats(mean), deviation),
                    rows,
                    floats(outputs),
                    floats(sums.lengths().div(new Scalar(n))));
        }
    }

    private static float[] floats(Tensor tensor) {
        return Tensors.toFloats(tensor.to(ScalarType.Float).contiguous());
    }

    /**
     * The fit as a tensor of the layer.
     *
     * @return [out, in]
     */
    Tensor weightTensor() {
        int in = weight[0].length;
        float[] all = new float[weight.length * in];
        for (int i = 0; i < weight.length; i++) {
            System.arraycopy(weight[i], 0, all, i * in, in);
        }
        return Tensors.of(all, weight.length, in);
    }

    /**
     * Conditions of captions by the fit.
     *
     * @param embeddings of unit length, fp32 [captions, in]
     * @return [captions, tokens, width], each token of its length
     */
    Tensor predict(Tensor embeddings) {
        float[] mean = center.mean();
        Tensor x = embeddings.sub(Tensors.of(mean, mean.length)).div(new Scalar(center.deviation()));
        Tensor out = x.matmul(weightTensor().t())
                .add(Tensors.of(bias, bias.length))
                .reshape(embeddings.size(0), lengths.length, bias.length / lengths.length);
        Tensor norm = out.square()
                .sum(new long[] {-1}, true, new ScalarTypeOptional())
                .sqrt();
        return out.div(norm.clamp_min(new Scalar(Float.MIN_NORMAL))).mul(Tensors.of(lengths, lengths.length, 1));
    }

    /**
     * Writes what {@link dev.diva.feedback.Projection#load} reads, with the centre and scale of captions as {@code text_center} and {@code
     * text_scale}.
     *
     * @param images centre of the embeddings of images, or null where it is to be measured when a run begins
     */
    void write(Path file, EmbeddingCenter images, Map<String, String> metadata) {
        try (PointerScope scope = new PointerScope()) {
            float[] mean = center.mean();
            Map<String, Tensor> tensors = new TreeMap<>(new Anchor(images, lengths).tensors());
            tensors.put("weight", weightTensor());
            tensors.put("bias", Tensors.of(bias, bias.length));
            tensors.put("text_center", Tensors.of(mean, mean.length));
            tensors.put("text_scale", Tensors.of(new float[] {(float) center.deviation()}, 1));
            SafetensorsWriter.write(file, tensors, metadata);
        }
    }
}
