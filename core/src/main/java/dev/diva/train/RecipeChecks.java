package dev.diva.train;

import java.util.List;

/** Ranges of recipe values; the messages name the key. */
public final class RecipeChecks {
    private RecipeChecks() {}

    /** A value that is there. */
    public static void given(String key, Object value) {
        if (value == null) {
            throw new IllegalArgumentException(key + " is null, which stands for nothing here");
        }
    }

    /** A whole number from one on. */
    public static void atLeast(String key, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(key + " is " + value + ", expected at least " + least);
        }
    }

    /** A whole number between two, both included. */
    public static void within(String key, long value, long from, long to) {
        if (value < from || value > to) {
            throw new IllegalArgumentException(key + " is " + value + ", expected " + from + " to " + to);
        }
    }

    /** A number between two, both included; the largest double is no limit. */
    public static void within(String key, double value, double from, double to) {
        if (!(value >= from && value <= to)) {
            String upper = to == Double.MAX_VALUE ? "" : " to " + to;
            throw new IllegalArgumentException(
                    key + " is " + value + ", expected " + from + upper + (upper.isEmpty() ? " or more" : ""));
        }
    }

    /** Two positive values in rising order. */
    public static void range(String key, List<Double> values, double most) {
        boolean fits =
                values.size() == 2 && values.get(0) > 0 && values.get(0) <= values.get(1) && values.get(1) <= most;
        if (!fits) {
            throw new IllegalArgumentException(key + " is " + values + ", expected two values above 0 in rising order"
                    + (most == Double.MAX_VALUE ? "" : " up to " + most));
        }
    }

    /** One of some words. */
    public static void oneOf(String key, String value, String... allowed) {
        if (!List.of(allowed).contains(value)) {
            throw new IllegalArgumentException(
                    key + " is " + value + ", expected one of " + String.join(", ", allowed));
        }
    }
}
