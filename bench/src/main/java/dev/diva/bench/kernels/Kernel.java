package dev.diva.bench.kernels;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Engine;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.world.pretrain.InitialWeights;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A computation on tensors. Its inputs live as long as the benchmark, what a call makes as long as the call. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@Fork(1)
@Warmup(iterations = 2, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public abstract class Kernel {
    @Param({"FP32", "BF16"})
    public Precision precision;

    private PointerScope scope;

    @Setup
    public final void open() {
        Engine.setThreads(Integer.getInteger("diva.threads", 0));
        scope = new PointerScope();
        make();
    }

    @TearDown
    public final void close() {
        scope.close();
    }

    /** Makes the inputs. */
    abstract void make();

    final Tensor random(long... shape) {
        return torch.randn(shape).to(precision.dtype());
    }

    final Tensor leaf(long... shape) {
        return random(shape).set_requires_grad(true);
    }

    final Weights weights() {
        return Weights.frozen(InitialWeights.of(1, Map.of()), Placement.cpu(precision));
    }

    static void forward(Supplier<Tensor> computation) {
        try (PointerScope call = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            Tensor unused = computation.get();
        }
    }

    static void forwardAndBackward(Supplier<Tensor> computation, Tensor gradient, Tensor... leaves) {
        try (PointerScope call = new PointerScope()) {
            computation.get().backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
            for (Tensor leaf : leaves) {
                leaf.mutable_grad().reset();
            }
        }
    }
}
