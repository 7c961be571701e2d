package dev.diva.engine;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Named streams of random numbers, each a libtorch CPU generator (MT19937) seeded from (seed, name), so that drawing more from one
 * never shifts another. Bit-equal to PyTorch's CPU generator of the same seed. Not thread safe.
 */
public final class RandomStreams {
    private final long seed;
    private final Map<String, Generator> streams = new TreeMap<>();

    public RandomStreams(long seed) {
        this.seed = seed;
    }

    /** The stream of that name, made on first use with the seed {@link #seedOf}. */
    public Generator stream(String name) {
        return streams.computeIfAbsent(name, n -> seeded(seedOf(seed, n)));
    }

    /** Makes the stream of that name start from exactly this seed, as {@code torch.manual_seed} would. */
    public void seed(String name, long exactSeed) {
        streams.put(name, seeded(exactSeed));
    }

    /** State of each stream that was used, by name: uint8 [5056], to be stored in a checkpoint. */
    public Map<String, Tensor> state() {
        Map<String, Tensor> state = new TreeMap<>();
        streams.forEach((name, generator) -> state.put(name, generator.get_state()));
        return state;
    }

    /** Continues each stream exactly where {@link #state} was taken; those not used by then start from their seed. */
    public void restore(Map<String, Tensor> state) {
        streams.keySet().retainAll(state.keySet());
        state.forEach((name, tensor) -> stream(name).set_state(tensor));
    }

    /** Standard normal numbers in fp32. */
    public static Tensor randn(Generator generator, long... shape) {
        return torch.randn(shape, new GeneratorOptional(generator), new TensorOptions(ScalarType.Float));
    }

    /** Whole numbers 0 (inclusive) to high (exclusive), int64. */
    public static Tensor randint(Generator generator, long high, long... shape) {
        return torch.randint(high, shape, new GeneratorOptional(generator), new TensorOptions(ScalarType.Long));
    }

    /** A random order of 0 to count - 1, int64. */
    public static Tensor randperm(Generator generator, long count) {
        return torch.randperm(count, new GeneratorOptional(generator), new TensorOptions(ScalarType.Long));
    }

    /** Numbers uniform in [0, 1), fp32. */
    public static Tensor rand(Generator generator, long... shape) {
        return torch.rand(shape, new GeneratorOptional(generator), new TensorOptions(ScalarType.Float));
    }

    /** Seed of a named stream: first 8 bytes (big endian, sign bit cleared) of SHA-256 of {@code seed:name}. */
    public static long seedOf(long seed, String name) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256").digest((seed + ":" + name).getBytes(StandardCharsets.UTF_8));
            long value = 0;
            for (int i = 0; i < Long.BYTES; i++) {
                value = (value << 8) | (digest[i] & 0xff);
            }
            return value & Long.MAX_VALUE;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }

    private static Generator seeded(long seed) {
        Generator generator = torch.make_generator_cpu(seed);
        generator.retainReference();
        return generator;
    }
}
