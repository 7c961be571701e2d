package dev.diva.diffusion.layer;

import dev.diva.engine.Tensors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Numbers as cosines and sines of geometrically falling frequencies 1 ... 1/10000, in fp32. */
public final class SinusoidalEmbedding {
    private final float[] frequencies;
    private final boolean cosineFirst;

    /**
     * The frequencies of diffusers.
     *
     * @param width of the embedding, even
     * @param cosineFirst diffusers' {@code flip_sin_to_cos}
     * @param frequencyShift subtracted from the number of frequencies in the exponent
     */
    public SinusoidalEmbedding(long width, boolean cosineFirst, double frequencyShift) {
        long half = width / 2;
        try (PointerScope scope = new PointerScope()) {
            // In fp32 step by step as the reference: at t = 999 one unit in the last place of a frequency shows.
            Tensor exponents = torch.arange(new Scalar((float) half), new TensorOptions(ScalarType.Float))
                    .mul(new Scalar(-Math.log(10000)))
                    .div(new Scalar(half - frequencyShift));
            this.frequencies = Tensors.toFloats(exponents.exp());
        }
        this.cosineFirst = cosineFirst;
    }

    private SinusoidalEmbedding(float[] frequencies) {
        this.frequencies = frequencies;
        this.cosineFirst = true;
    }

    /**
     * Those of FLUX.1, cosines first, from exponents in fp32 by an exponential that rounds once: with numbers up to 4000 a unit in the last
     * place of a frequency moves an angle by 2e-4.
     *
     * @param width of the embedding, even
     */
    public static SinusoidalEmbedding roundedOnce(int width) {
        float[] frequencies = new float[width / 2];
        for (int i = 0; i < frequencies.length; i++) {
            float exponent = (float) -Math.log(10000) * i / frequencies.length;
            frequencies[i] = (float) Math.exp(exponent);
        }
        return new SinusoidalEmbedding(frequencies);
    }

    /**
     * Embeds each number.
     *
     * @param numbers [n] of any type
     * @return fp32 [n, width]
     */
    public Tensor forward(Tensor numbers) {
        Tensor table = Tensors.onto(Tensors.of(frequencies, 1, frequencies.length), numbers.device(), ScalarType.Float);
        Tensor angles = numbers.to(ScalarType.Float).unsqueeze(1).mul(table);
        return cosineFirst
                ? torch.cat(new TensorVector(angles.cos(), angles.sin()), -1)
                : torch.cat(new TensorVector(angles.sin(), angles.cos()), -1);
    }
}
