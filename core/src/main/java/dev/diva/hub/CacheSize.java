package dev.diva.hub;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How much a cache may keep, as people write it: 50GB, 20GiB. */
public final class CacheSize {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,15}(?:\\.\\d{1,3})?) ?([KMGT]?I?)B?");
    private static final Map<Character, Integer> POWERS = Map.of('K', 1, 'M', 2, 'G', 3, 'T', 4);
    private static final long LEAST = 100_000_000; // some blocks for each thread

    private CacheSize() {}

    /**
     * So many bytes.
     *
     * @param key what the size was given as, for the message
     * @throws IllegalArgumentException when it is no size, or too small for any cache
     */
    public static long bytes(String key, String given) {
        Matcher size = SIZE.matcher(given == null ? "" : given.strip().toUpperCase(Locale.ROOT));
        double value = size.matches() ? Double.parseDouble(size.group(1)) * unit(size.group(2)) : 0;
        if (value < LEAST || value > Long.MAX_VALUE) {
            throw new IllegalArgumentException(
                    key + " is " + given + ", expected at least 100MB, for instance 50GB or 20GiB");
        }
        return (long) value;
    }

    private static double unit(String name) {
        return name.isEmpty() || name.equals("I")
                ? 1
                : Math.pow(name.endsWith("I") ? 1024 : 1000, POWERS.get(name.charAt(0)));
    }
}
