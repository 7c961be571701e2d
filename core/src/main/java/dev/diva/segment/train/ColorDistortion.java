package dev.diva.segment.train;

import java.util.random.RandomGenerator;

/**
 * SSD's photometric distortion as detectron2 does it, with OpenCV's 8-bit HSV in whole numbers: each step clips and truncates to 8 bits.
 * OpenCV's own way back from HSV truncates or rounds depending on the column and the machine; this one truncates. Null leaves a step out.
 *
 * @param brightness added, -32..32
 * @param contrastFirst whether contrast comes before saturation and hue, or behind them
 * @param contrast factor, 0.5..1.5
 * @param saturation factor of S, 0.5..1.5
 * @param hue added to H, -18..18 of 180
 */
record ColorDistortion(Double brightness, boolean contrastFirst, Double contrast, Double saturation, Integer hue) {
    /** Leaves colours as they are. */
    static final ColorDistortion NONE = new ColorDistortion(null, false, null, null, null);

    private static final double LIGHTER = 32;
    private static final double LEAST = 0.5;
    private static final double MOST = 1.5;
    private static final int TURN = 18;
    private static final int HUES = 180;
    private static final int SHIFT = 12;
    private static final int HALF = 1 << (SHIFT - 1);
    /** Of value, p, q, t: which red, green and blue are in each sixth of the circle. */
    private static final int[][] SECTORS = {{0, 3, 1}, {2, 0, 1}, {1, 0, 3}, {1, 2, 0}, {3, 1, 0}, {0, 1, 2}};

    /** Each step with probability 1/2, in the order of detectron2's draws. */
    static ColorDistortion draw(RandomGenerator random) {
        Double brightness = random.nextBoolean() ? random.nextDouble(-LIGHTER, LIGHTER) : null;
        boolean contrastFirst = random.nextBoolean();
        Double early = contrastFirst ? factor(random) : null;
        Double saturation = factor(random);
        Integer hue = random.nextBoolean() ? random.nextInt(-TURN, TURN + 1) : null;
        Double contrast = contrastFirst ? early : factor(random);
        return new ColorDistortion(brightness, contrastFirst, contrast, saturation, hue);
    }

    private static Double factor(RandomGenerator random) {
        return random.nextBoolean() ? random.nextDouble(LEAST, MOST) : null;
    }

    /** RGB samples to RGB samples. */
    byte[] of(byte... rgb) {
        byte[] out = rgb.clone();
        if (brightness != null) {
            scale(out, 1, brightness);
        }
        if (contrastFirst && contrast != null) {
            scale(out, contrast, 0);
        }
        for (int i = 0; i < out.length && (saturation != null || hue != null); i += 3) {
            recolor(out, i);
        }
        if (!contrastFirst && contrast != null) {
            scale(out, contrast, 0);
        }
        return out;
    }

    private static void scale(byte[] samples, double factor, double added) {
        byte[] table = new byte[256];
        for (int value = 0; value < 256; value++) {
            table[value] = (byte) scaled(value, factor, added);
        }
        for (int i = 0; i < samples.length; i++) {
            samples[i] = table[samples[i] & 0xff];
        }
    }

    private static int scaled(int value, double factor, double added) {
        return (int) Math.min(255, Math.max(0, value * (float) factor + (float) added));
    }

    /** There and back for each of the two steps, as they are two transforms. */
    private void recolor(byte[] samples, int at) {
        if (saturation != null) {
            int[] hsv = hsv(samples, at);
            put(samples, at, hsv[0], scaled(hsv[1], saturation, 0), hsv[2]);
        }
        if (hue != null) {
            int[] hsv = hsv(samples, at);
            put(samples, at, Math.floorMod(hsv[0] + hue, HUES), hsv[1], hsv[2]);
        }
    }

    /** H 0..179, S and V 0..255. */
    static int[] hsv(byte[] samples, int at) {
        int r = samples[at] & 0xff;
        int g = samples[at + 1] & 0xff;
        int b = samples[at + 2] & 0xff;
        int v = Math.max(r, Math.max(g, b));
        int d = v - Math.min(r, Math.min(g, b));
        int s = (d * reciprocal(255 << SHIFT, v) + HALF) >> SHIFT;
        int sixth;
        if (v == r) {
            sixth = g - b;
        } else {
            sixth = v == g ? b - r + 2 * d : r - g + 4 * d;
        }
        int h = (sixth * reciprocal((HUES << SHIFT) / 6, d) + HALF) >> SHIFT;
        return new int[] {h < 0 ? h + HUES : h, s, v};
    }

    private static int reciprocal(int numerator, int x) {
        return x == 0 ? 0 : (int) Math.rint((double) numerator / x);
    }

    private static void put(byte[] samples, int at, int h, int s, int v) {
        float turn = h * (float) (6.0 / HUES);
        int sector = (int) turn;
        float part = turn - sector;
        float pale = s * (1 / 255f);
        float value = v * (1 / 255f);
        float[] mixed = {value, value * (1 - pale), value * (1 - pale * part), value * (1 - pale * (1 - part))};
        for (int c = 0; c < 3; c++) {
            float x = s == 0 ? value : mixed[SECTORS[sector % 6][c]];
            samples[at + c] = (byte) (int) Math.min(255, x * 255f);
        }
    }
}
