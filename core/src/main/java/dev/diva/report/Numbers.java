package dev.diva.report;

import java.util.Locale;

/** How the page writes numbers: the same everywhere, whatever the locale. */
public final class Numbers {
    private Numbers() {}

    /** A fraction as a percentage with one decimal, without the sign. */
    public static String percent(double fraction) {
        return String.format(Locale.ROOT, "%.1f", 100 * fraction);
    }

    /** A difference of fractions in percentage points, always signed; empty for NaN. */
    public static String points(double change) {
        if (Double.isNaN(change)) {
            return "";
        }
        String text = String.format(Locale.ROOT, "%+.1f", 100 * change).replace('-', '\u2212');
        return text.substring(1).equals("0.0") ? "0.0" : text;
    }

    /** An interval in percent. */
    public static String interval(Interval interval) {
        return percent(interval.low()) + "\u2013" + percent(interval.high());
    }

    /** Three significant digits of a figure that is neither large nor tiny, for the head of the page. */
    static String brief(double value) {
        return String.format(Locale.ROOT, "%.3g", value);
    }

    /** Four significant digits, plain between 0.001 and a million, else in powers of ten. */
    public static String figure(double value) {
        double size = Math.abs(value);
        if (value == Math.rint(value) && size < 1e6) {
            return String.format(Locale.ROOT, "%d", (long) value);
        }
        if (size >= 1e6 || size < 1e-3) {
            return String.format(Locale.ROOT, "%.3e", value);
        }
        int decimals = Math.max(0, 3 - (int) Math.floor(Math.log10(size)));
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    /** A margin with its sign. */
    public static String margin(double value) {
        return String.format(Locale.ROOT, "%+.3f", value).replace('-', '\u2212');
    }

    /** A percentage as a coordinate of a plot. */
    public static String coordinate(double fraction) {
        return String.format(Locale.ROOT, "%.2f%%", 100 * Math.min(1, Math.max(0, fraction)));
    }
}
