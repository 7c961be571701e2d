package dev.diva.data;

/**
 * Which input samples make each output sample of one axis, and with which weights.
 *
 * @param first first input sample of each output
 * @param count number of input samples of each output
 * @param weights [output, most taps] fixed-point weights with {@link #BITS} fractional bits
 * @param most row length of the weights
 */
record Taps(int[] first, int[] count, int[] weights, int most) {
    /** Fractional bits of the weights: Pillow's {@code PRECISION_BITS}, 32 - 8 - 2. */
    static final int BITS = 22;

    static Taps of(int inSize, int outSize, Filter filter) {
        double scale = (double) inSize / outSize;
        double filterScale = Math.max(1, scale);
        double support = filter.support() * filterScale;
        int most = (int) Math.ceil(support) * 2 + 1;
        int[] first = new int[outSize];
        int[] count = new int[outSize];
        int[] weights = new int[outSize * most];
        double[] exact = new double[most];
        for (int out = 0; out < outSize; out++) {
            double center = (out + 0.5) * scale;
            first[out] = Math.max(0, (int) (center - support + 0.5));
            count[out] = Math.min(inSize, (int) (center + support + 0.5)) - first[out];
            double sum = 0;
            for (int i = 0; i < count[out]; i++) {
                exact[i] = filter.weight((i + first[out] - center + 0.5) * (1 / filterScale));
                sum += exact[i];
            }
            for (int i = 0; i < count[out]; i++) {
                double weight = (sum == 0 ? exact[i] : exact[i] / sum) * (1 << BITS);
                weights[out * most + i] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
            }
        }
        return new Taps(first, count, weights, most);
    }
}
