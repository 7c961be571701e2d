package dev.diva.data;

/** From bytes to the float planes that models take, and resizing of such planes. */
public final class Normalize {
    private Normalize() {}

    /** {@code (value / 255 - mean) / std}, [3, height, width]. */
    public static float[] toChw(RasterImage rgb, float[] mean, float[] std) {
        if (rgb.mode() != ColorMode.RGB) {
            throw new IllegalArgumentException("RGB expected, not " + rgb.mode());
        }
        int area = rgb.width() * rgb.height();
        float[] out = new float[3 * area];
        for (int c = 0; c < 3; c++) {
            float[] table = new float[256];
            for (int value = 0; value < 256; value++) {
                table[value] = (value / 255f - mean[c]) / std[c];
            }
            for (int i = 0, from = c, to = c * area; i < area; i++, from += 3, to++) {
                out[to] = table[rgb.samples()[from] & 0xff];
            }
        }
        return out;
    }

    /** The autoencoder's range: {@code 2 * value / 255 - 1}, [3, height, width]. */
    public static float[] toAutoencoder(RasterImage rgb) {
        float[] half = {0.5f, 0.5f, 0.5f};
        return toChw(rgb, half, half);
    }

    /**
     * Bilinear resize of planes as {@code F.interpolate(mode="bilinear", align_corners=False)}, without antialiasing: the published
     * code's way from the teacher's pixels to the CLIP size.
     *
     * @param planes [count, size, size]
     * @return [count, target, target]
     */
    public static float[] resizeBilinear(float[] planes, int size, int target) {
        int count = planes.length / (size * size);
        if (planes.length != count * size * size || count == 0) {
            throw new IllegalArgumentException(planes.length + " values are no planes of " + size + "x" + size);
        }
        float scale = (float) size / target;
        int[] low = new int[target];
        float[] part = new float[target];
        for (int i = 0; i < target; i++) {
            float position = Math.max(0, scale * (i + 0.5f) - 0.5f);
            low[i] = Math.min((int) position, size - 1);
            part[i] = Math.min(1, Math.max(0, position - low[i]));
        }
        float[] out = new float[count * target * target];
        for (int plane = 0, to = 0; plane < count; plane++) {
            for (int y = 0; y < target; y++) {
                int upper = (plane * size + low[y]) * size;
                int lower = (plane * size + Math.min(size - 1, low[y] + 1)) * size;
                for (int x = 0; x < target; x++) {
                    int left = low[x];
                    int right = Math.min(size - 1, left + 1);
                    float above = planes[upper + left] * (1 - part[x]) + planes[upper + right] * part[x];
                    float below = planes[lower + left] * (1 - part[x]) + planes[lower + right] * part[x];
                    out[to++] = above * (1 - part[y]) + below * part[y];
                }
            }
        }
        return out;
    }
}
