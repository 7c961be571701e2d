package dev.diva.diffusion.layer;

import dev.diva.engine.OwnGradient;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * One half of the last axis times the exact GELU of the other (Shazeer 2020, arXiv 2002.05202), with a backward that keeps nothing but the
 * input and writes both halves of its gradient where they belong.
 */
final class Geglu {
    private Geglu() {}

    /** [..., 2 * width] to [..., width], in the type of x. */
    static Tensor apply(Tensor x) {
        Tensor y = OwnGradient.withoutGraph(() -> torch.gelu(gates(x)).mul_(values(x)));
        return OwnGradient.isNeeded(x) ? OwnGradient.tie(y, new Tensor[] {x}, Geglu::backward, x) : y;
    }

    private static Tensor[] backward(Tensor gradient, Tensor[] saved) {
        Tensor x = saved[0];
        Tensor dx = torch.empty_like(x);
        torch.gelu_out(values(dx), gates(x)).mul_(gradient);
        torch.gelu_backward_out(gates(dx), gradient.mul(values(x)), gates(x));
        return new Tensor[] {dx};
    }

    private static Tensor values(Tensor x) {
        long width = x.size(-1) / 2;
        return x.narrow(-1, 0, width);
    }

    private static Tensor gates(Tensor x) {
        long width = x.size(-1) / 2;
        return x.narrow(-1, width, width);
    }
}
