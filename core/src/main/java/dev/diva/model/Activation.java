package dev.diva.model;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.engine.Pointwise;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Pointwise functions between the layers of an MLP, under the names of the config files. */
public enum Activation {
    /** x sigmoid(1.702 x): OpenAI's CLIP and what descends from it. */
    QUICK_GELU(Pointwise.QUICK_GELU) {
        @Override
        public Tensor apply(Tensor x) {
            if (Pointwise.isOnePass(x)) {
                return Pointwise.QUICK_GELU.apply(x);
            }
            // silu(s x) / s: one tensor for the backward pass instead of three.
            return torch.silu(x.mul(new Scalar(1.702))).mul_(new Scalar(1 / 1.702));
        }
    },
    /** The exact GELU with the error function: OpenCLIP, timm, SD 2.x. */
    GELU(Pointwise.GELU) {
        @Override
        public Tensor apply(Tensor x) {
            return torch.gelu(x);
        }
    },
    /** The tanh approximation: transformers' SigLIP. */
    GELU_TANH(Pointwise.GELU_TANH) {
        @Override
        public Tensor apply(Tensor x) {
            return torch.gelu(x, "tanh");
        }
    },
    /** x sigmoid(x): UNets and autoencoders. */
    SILU(Pointwise.SILU) {
        @Override
        public Tensor apply(Tensor x) {
            return torch.silu(x);
        }
    };

    private final Pointwise fused;

    Activation(Pointwise fused) {
        this.fused = fused;
    }

    /** The same function for a product to apply. */
    Pointwise fused() {
        return fused;
    }

    /** The function value at each element, in the type of x. */
    public abstract Tensor apply(Tensor x);

    /**
     * The function that a config file names.
     *
     * @param location file and key, for the message
     */
    public static Activation named(String name, String location) {
        return switch (name) {
            case "quick_gelu" -> QUICK_GELU;
            case "gelu" -> GELU;
            case "gelu_pytorch_tanh", "gelu_new" -> GELU_TANH;
            case "silu", "swish" -> SILU;
            default ->
                throw new CheckpointException(location + ": unknown activation " + name
                        + "; known: quick_gelu, gelu, gelu_pytorch_tanh, silu");
        };
    }
}
