package dev.diva.world.scene;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Draws scenes. Scene i of a split follows from (seed, split, i) alone, so it is the same whatever was drawn before it, by which
 * thread or process. All kinds, backgrounds and values are equally likely.
 */
public final class SceneSampler {
    private static final RandomGeneratorFactory<RandomGenerator> GENERATORS =
            RandomGeneratorFactory.of("L64X128MixRandom");
    private static final List<Background> BACKGROUNDS = List.of(Background.values());
    private static final List<Kind> KINDS = List.of(Kind.values());

    /** Share of scenes with one thing or group. */
    private static final double SINGLE = 0.5;

    private final long seed;
    private final Split split;

    public SceneSampler(long seed, Split split) {
        this.seed = seed;
        this.split = split;
    }

    /** Scene {@code index} of the split. */
    public Scene scene(long index) {
        RandomGenerator random = stream("scene", index);
        Background background = pick(BACKGROUNDS, random);
        Kind first = pick(KINDS, random);
        if (random.nextDouble() < SINGLE) {
            return new Scene(background, List.of(thing(first, random)), OptionalInt.empty(), random.nextLong());
        }
        Kind second = pick(KINDS, random);
        while (second == first) {
            second = pick(KINDS, random);
        }
        List<Thing> things = first.compareTo(second) < 0
                ? List.of(thing(first, random), thing(second, random))
                : List.of(thing(second, random), thing(first, random));
        OptionalInt relation = OptionalInt.of(random.nextInt(Attribute.RELATION.size()));
        return new Scene(background, things, relation, random.nextLong());
    }

    /** Numbers for a purpose of the caller's (what a caption names, which attribute of a pair changes), apart from the scene's. */
    public RandomGenerator stream(String purpose, long index) {
        String name = seed + "/" + split.stream() + "/" + purpose + "/" + index;
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
            // not create(byte[]): Java 17 extends the sign of each byte and so gives uneven numbers
            return GENERATORS.create(ByteBuffer.wrap(digest).getLong());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static <T> T pick(List<T> choices, RandomGenerator random) {
        return choices.get(random.nextInt(choices.size()));
    }

    private static Thing thing(Kind kind, RandomGenerator random) {
        Map<Attribute, Integer> values = new EnumMap<>(Attribute.class);
        for (Attribute attribute : kind.attributes()) {
            values.put(attribute, random.nextInt(attribute.size()));
        }
        return new Thing(kind, values);
    }
}
