package dev.diva.train;

import dev.diva.BadInputException;
import dev.diva.engine.Machine;
import java.util.Locale;

/** What a recipe asks for and the machine does not have, by far: told before the start, in the recipe's words. */
public final class MemoryNeed {
    private MemoryNeed() {}

    /**
     * Refuses a value.
     *
     * @param key of the recipe
     * @param bytes that the value takes at least
     * @throws BadInputException when the machine has less
     */
    public static void require(String key, long value, double bytes) {
        double there = Machine.read().memoryBytes();
        if (bytes > there) {
            String others =
                    key.equals("train.batch") ? ", and a larger train.accumulate for as many images a step" : "";
            throw new BadInputException(String.format(
                    Locale.ROOT,
                    "recipe: %s is %d, which takes at least %.1f GiB, this machine has %.1f GiB; choose a smaller one%s",
                    key,
                    value,
                    bytes / (1 << 30),
                    there / (1 << 30),
                    others));
        }
    }
}
