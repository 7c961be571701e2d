package dev.diva.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * A picture of points, for instance gain against price. Both axes hold 0.
 *
 * @param id anchor on the page
 * @param x what lies to the right
 * @param y what lies up
 */
public record Scatter(String id, String title, String note, String x, String y, List<Mark> marks) {
    /**
     * A point.
     *
     * @param interval of y, or null
     * @param style number of its colour
     */
    public record Mark(String label, double x, double y, Interval interval, int style) {}

    /** Ticks of the lower axis. */
    public Axis across() {
        return Axis.of(marks.stream().mapToDouble(Mark::x));
    }

    /** Ticks of the upright axis, wide enough for the intervals. */
    public Axis upright() {
        return Axis.of(marks.stream()
                .flatMapToDouble(mark -> mark.interval == null
                        ? DoubleStream.of(mark.y)
                        : DoubleStream.of(mark.y, mark.interval.low(), mark.interval.high())));
    }

    /** An axis with ticks at round values, from the first to the last of them. */
    public record Axis(List<Double> ticks) {
        private static final int MOST = 6;

        static Axis of(DoubleStream values) {
            double[] all = DoubleStream.concat(values, DoubleStream.of(0)).toArray();
            double low = DoubleStream.of(all).min().orElseThrow();
            double high = DoubleStream.of(all).max().orElseThrow();
            double step = step(high > low ? high - low : 1);
            long from = (long) Math.floor(low / step);
            long to = Math.max((long) Math.ceil(high / step), from + 1);
            return new Axis(DoubleStream.iterate(from, tick -> tick <= to, tick -> tick + 1)
                    .map(tick -> tick * step)
                    .boxed()
                    .toList());
        }

        /** The smallest 1, 2 or 5 times a power of ten of which at most six fit. */
        private static double step(double width) {
            double step = Math.pow(10, Math.floor(Math.log10(width / MOST)));
            for (double factor : new double[] {1, 2, 5}) {
                if (width / (factor * step) <= MOST) {
                    return factor * step;
                }
            }
            return 10 * step;
        }

        /** A tick in as few digits as it needs. */
        public static String label(double tick) {
            return tick == 0
                    ? "0"
                    : new BigDecimal(tick, new MathContext(3))
                            .stripTrailingZeros()
                            .toPlainString();
        }

        /** Where a value lies, 0..1. */
        public double at(double value) {
            double first = ticks.get(0);
            return (value - first) / (ticks.get(ticks.size() - 1) - first);
        }
    }
}
