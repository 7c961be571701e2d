package dev.diva.objective.dcr;

import java.util.List;

/**
 * torchvision's colour changes of an image of floats, in a given order. Every one but the hue clamps to 0..1, whatever the image holds.
 *
 * @param order of the changes: 0 brightness, 1 contrast, 2 saturation, 3 hue
 * @param factors of the changes, in that numbering; the hue's is a shift of a full circle
 */
record ColorJitter(List<Integer> order, List<Double> factors) {
    private static final float[] GRAY = {0.2989f, 0.587f, 0.114f};

    ColorJitter {
        order = List.copyOf(order);
        factors = List.copyOf(factors);
    }

    /** @param planes RGB, [3, height, width]; changed in place */
    void apply(float[] planes) {
        for (int change : order) {
            float factor = factors.get(change).floatValue();
            switch (change) {
                case 0 -> blend(planes, factor, new float[planes.length / 3]);
                case 1 -> blend(planes, factor, mean(gray(planes)));
                case 2 -> blend(planes, factor, gray(planes));
                default -> shiftHue(planes, factor);
            }
        }
    }

    /** factor * image + (1 - factor) * other, the same other for all three colours. */
    private static void blend(float[] planes, float factor, float[] other) {
        int area = planes.length / 3;
        for (int i = 0; i < planes.length; i++) {
            planes[i] = clamp(factor * planes[i] + (1 - factor) * other[i % area]);
        }
    }

    private static float[] gray(float[] planes) {
        int area = planes.length / 3;
        float[] gray = new float[area];
        for (int i = 0; i < area; i++) {
            gray[i] = GRAY[0] * planes[i] + GRAY[1] * planes[area + i] + GRAY[2] * planes[2 * area + i];
        }
        return gray;
    }

    private static float[] mean(float[] gray) {
        double sum = 0;
        for (float value : gray) {
            sum += value;
        }
        float[] mean = new float[gray.length];
        java.util.Arrays.fill(mean, (float) (sum / gray.length));
        return mean;
    }

    private static void shiftHue(float[] planes, float shift) {
        int area = planes.length / 3;
        for (int i = 0; i < area; i++) {
            float r = planes[i];
            float g = planes[area + i];
            float b = planes[2 * area + i];
            float max = Math.max(r, Math.max(g, b));
            float range = max - Math.min(r, Math.min(g, b));
            float saturation = range == 0 ? 0 : range / max;
            float hue = (hue(r, g, b, max, range == 0 ? 1 : range) + shift) % 1;
            float[] turned = color(hue < 0 ? hue + 1 : hue, saturation, max);
            planes[i] = turned[0];
            planes[area + i] = turned[1];
            planes[2 * area + i] = turned[2];
        }
    }

    private static float hue(float r, float g, float b, float max, float range) {
        float red = (max - r) / range;
        float green = (max - g) / range;
        float blue = (max - b) / range;
        float sixths = max == r ? blue - green : max == g ? 2 + red - blue : 4 + green - red;
        return (sixths / 6 + 1) % 1;
    }

    private static float[] color(float hue, float saturation, float value) {
        double sixths = Math.floor(hue * 6);
        float rest = (float) (hue * 6 - sixths);
        float p = clamp(value * (1 - saturation));
        float q = clamp(value * (1 - saturation * rest));
        float t = clamp(value * (1 - saturation * (1 - rest)));
        return switch ((int) sixths % 6) {
            case 0 -> new float[] {value, t, p};
            case 1 -> new float[] {q, value, p};
            case 2 -> new float[] {p, value, t};
            case 3 -> new float[] {p, q, value};
            case 4 -> new float[] {t, p, value};
            default -> new float[] {value, p, q};
        };
    }

    private static float clamp(float x) {
        return Math.max(0, Math.min(1, x));
    }
}
