package dev.diva.language;

import dev.diva.engine.Kernels;
import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** How badly a decoder foretells the next token. */
public final class NextTokens {
    /** Label of what is not learnt. */
    public static final long NONE = -100;

    /** Scores of the whole vocabulary are held for so many tokens at a time. */
    private static final int AT_ONCE = 1024;

    private NextTokens() {}

    /**
     * Sum of the cross entropies of all labelled tokens, each foretold from the state before it. Scores are computed at those places alone.
     *
     * @param hidden of {@link Llama#forward}, [rows, tokens, width]
     * @param labels of each row, as many as it has tokens or fewer; {@link #NONE} where nothing is learnt
     */
    public static Tensor crossEntropy(Llama llama, Tensor hidden, List<long[]> labels) {
        List<Long> places = new ArrayList<>();
        List<Long> targets = new ArrayList<>();
        for (int row = 0; row < labels.size(); row++) {
            long[] own = labels.get(row);
            for (int i = 1; i < own.length; i++) {
                if (own[i] != NONE) {
                    places.add(row * hidden.size(1) + i - 1);
                    targets.add(own[i]);
                }
            }
        }
        Tensor flat = hidden.reshape(-1, hidden.size(2));
        Tensor sum = torch.zeros(1).sum();
        for (int from = 0; from < places.size(); from += AT_ONCE) {
            int to = Math.min(places.size(), from + AT_ONCE);
            Tensor states = Kernels.indexSelect(flat, 0, indices(places.subList(from, to)));
            Tensor expected = Tensors.onto(indices(targets.subList(from, to)), flat.device(), torch.ScalarType.Long);
            sum = sum.add(llama.placement()
                    .activations()
                    .through(inputs -> crossEntropy(llama, inputs[0], expected), states));
        }
        return sum;
    }

    private static Tensor indices(List<Long> values) {
        long[] all = values.stream().mapToLong(Long::longValue).toArray();
        return Tensors.of(all, all.length);
    }

    private static Tensor crossEntropy(Llama llama, Tensor states, Tensor expected) {
        return llama.logits(states)
                .log_softmax(-1)
                .gather(1, expected.unsqueeze(1))
                .sum(0)
                .neg();
    }
}
