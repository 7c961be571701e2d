package dev.diva.language;

import dev.diva.BadInputException;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * How the next token is chosen.
 *
 * @param maxNewTokens at least 1
 * @param temperature 0 takes the likeliest (the first of equals); above, one is drawn from softmax(logits / temperature)
 * @param seed of the draws
 */
public record Generation(int maxNewTokens, double temperature, long seed) {
    public Generation {
        if (maxNewTokens < 1 || !(temperature >= 0) || Double.isInfinite(temperature)) {
            throw new BadInputException("max-new-tokens " + maxNewTokens + ", temperature " + temperature
                    + ": expected at least 1, and 0 or more");
        }
    }

    /** The likeliest token each time. */
    public static Generation greedy(int maxNewTokens) {
        return new Generation(maxNewTokens, 0, 0);
    }

    /**
     * Continues a sequence until an end token, which is the last of the result then, the limit, or the last position of the model.
     *
     * @param cache of all tokens up to the last
     * @param last final state of the last token, [1, 1, width]
     * @param ends ids that end the text
     * @param listener told of every token at once
     */
    public long[] run(Llama llama, KeyValueCache cache, Tensor last, Set<Long> ends, LongConsumer listener) {
        List<Long> tokens = new ArrayList<>();
        Generator generator = new RandomStreams(seed).stream("tokens");
        int room = llama.config().maxPositions() - cache.length() + 1;
        Tensor state = Scopes.keep(last.alias());
        try (NoGradGuard noGrad = new NoGradGuard()) {
            while (true) {
                long token = choose(llama, state, generator);
                tokens.add(token);
                listener.accept(token);
                if (ends.contains(token) || tokens.size() == Math.min(maxNewTokens, room)) {
                    return tokens.stream().mapToLong(Long::longValue).toArray();
                }
                Scopes.release(state);
                state = next(llama, cache, token);
            }
        } finally {
            Scopes.release(state);
        }
    }

    private static Tensor next(Llama llama, KeyValueCache cache, long token) {
        try (PointerScope scope = new PointerScope()) {
            return Scopes.keep(llama.forward(llama.embed(Tensors.of(new long[] {token}, 1, 1)), cache));
        }
    }

    private long choose(Llama llama, Tensor state, Generator generator) {
        try (PointerScope scope = new PointerScope()) {
            Tensor logits = llama.logits(state).flatten();
            Tensor chosen = temperature == 0
                    ? logits.argmax()
                    : logits.div(new Scalar(temperature))
                            .softmax(0)
                            .cpu()
                            .multinomial(1, false, new GeneratorOptional(generator));
            return Tensors.toLongs(chosen)[0];
        }
    }
}
