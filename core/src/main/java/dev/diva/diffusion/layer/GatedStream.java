package dev.diva.diffusion.layer;

import dev.diva.checkpoint.Weights;
import dev.diva.engine.Scopes;
import dev.diva.model.Activation;
import dev.diva.model.LayerNorm;
import dev.diva.model.Linear;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Attention and MLP, each behind a norm whose shift and scale, and followed by a gate, that are made from a vector. */
public final class GatedStream implements JointStream {
    /** Shift, scale and gate of the attention, then of the MLP. */
    public static final int PARTS = 6;

    /** The same, then of a second attention. */
    private static final int PARTS_OF_TWO = 9;

    private static final long MLP_RATIO = 4;
    private static final double NORM_EPS = 1e-6;

    private final Linear modulation;
    private final LayerNorm norm;
    private final StreamAttention attention;
    private final StreamAttention second; // of the tokens to each other alone; or null
    private final Linear mlpIn;
    private final Linear mlpOut;

    private GatedStream(
            long width,
            Linear modulation,
            StreamAttention attention,
            StreamAttention second,
            Linear mlpIn,
            Linear mlpOut) {
        this.modulation = modulation;
        this.norm = LayerNorm.withoutWeights(width, NORM_EPS);
        this.attention = attention;
        this.second = second;
        this.mlpIn = mlpIn;
        this.mlpOut = mlpOut;
    }

    /**
     * A stream.
     *
     * @param width of a token
     * @param modulation from the vector to {@link #PARTS} * width
     * @param attention that the streams share
     * @param mlpIn from the width to the inner one
     * @param mlpOut the way back
     */
    public static GatedStream of(
            long width, Linear modulation, StreamAttention attention, Linear mlpIn, Linear mlpOut) {
        return new GatedStream(width, modulation, attention, null, mlpIn, mlpOut);
    }

    /**
     * Reads a stream under diffusers' names.
     *
     * @param norm the view under {@code norm1} or {@code norm1_context}
     * @param mlp the view under {@code ff} or {@code ff_context}
     * @param second or null
     */
    static GatedStream read(Weights norm, StreamAttention attention, StreamAttention second, Weights mlp, long width) {
        long inner = MLP_RATIO * width;
        return new GatedStream(
                width,
                Linear.of(norm.at("linear"), width, (second == null ? PARTS : PARTS_OF_TWO) * width),
                attention,
                second,
                Linear.of(mlp.at("net", 0).at("proj"), width, inner),
                Linear.of(mlp.at("net", 2), inner, width));
    }

    @Override
    public Pass pass(Tensor x, Tensor vector) {
        int parts = second == null ? PARTS : PARTS_OF_TWO;
        TensorVector m = modulation.forward(torch.silu(vector)).unsqueeze(1).chunk(parts, -1);
        return new Pass() {
            @Override
            public Attended attended() {
                return attention.of(AdaptiveBlock.modulated(norm.forward(x), m.get(0), m.get(1)));
            }

            @Override
            public Tensor rest(Tensor taken) {
                Tensor between = Scopes.returning(() -> {
                    Tensor first = x.add(attention.output().forward(taken).mul(m.get(2)));
                    return second == null ? first : first.add(toEachOther(x, m));
                });
                return Scopes.returning(() -> {
                    Tensor inner = mlpIn.forward(
                            AdaptiveBlock.modulated(norm.forward(between), m.get(3), m.get(4)), Activation.GELU_TANH);
                    return between.add(mlpOut.forward(inner).mul(m.get(5)));
                });
            }
        };
    }

    private Tensor toEachOther(Tensor x, TensorVector m) {
        Attended tokens = second.of(AdaptiveBlock.modulated(norm.forward(x), m.get(6), m.get(7)));
        return second.output().forward(tokens.attend(UnaryOperator.identity())).mul(m.get(8));
    }
}
