package dev.diva.language;

import dev.diva.engine.Scopes;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Rotary position embedding (arXiv 2104.09864) in Llama's form: channel i of the first half of a head turns with channel i of the second, by
 * position * theta^(-2i / headDim).
 *
 * @param cos fp32 [positions, headDim / 2]
 * @param sin the same
 */
record Rotation(Tensor cos, Tensor sin) {
    /** Of the positions from one on, computed in fp32 as the reference does. */
    static Rotation of(LlamaConfig config, long from, long count, Tensor like) {
        TensorOptions floats = new TensorOptions(ScalarType.Float).device(new DeviceOptional(like.device()));
        Tensor exponents = torch.arange(new Scalar(0L), new Scalar(config.headDim()), new Scalar(2L), floats)
                .div(new Scalar((double) config.headDim()));
        Tensor frequencies =
                torch.pow(new Scalar(config.ropeTheta()), exponents).reciprocal();
        Tensor positions = torch.arange(new Scalar(from), new Scalar(from + count), floats);
        Tensor angles = positions.unsqueeze(1).mul(frequencies);
        return new Rotation(angles.cos(), angles.sin());
    }

    /** Turns [batch, heads, positions, headDim]; computed in fp32, the result has the type of x. */
    Tensor apply(Tensor x) {
        return Scopes.returning(() -> {
            long half = x.size(3) / 2;
            Tensor first = x.narrow(3, 0, half).to(ScalarType.Float);
            Tensor second = x.narrow(3, half, half).to(ScalarType.Float);
            Tensor turnedFirst = first.mul(cos).sub(second.mul(sin));
            Tensor turnedSecond = second.mul(cos).add(first.mul(sin));
            return torch.cat(new TensorVector(turnedFirst, turnedSecond), 3).to(x.scalar_type());
        });
    }
}
