package dev.diva.data;

/** Alpha premultiplication with Pillow's rounding; alpha is the last channel. */
final class Alpha {
    private Alpha() {}

    static byte[] premultiply(RasterImage image) {
        byte[] samples = image.samples().clone();
        int channels = image.mode().channels();
        for (int at = 0; at < samples.length; at += channels) {
            int alpha = samples[at + channels - 1] & 0xff;
            for (int c = 0; c < channels - 1; c++) {
                samples[at + c] = (byte) RasterImage.multiply(samples[at + c] & 0xff, alpha);
            }
        }
        return samples;
    }

    static byte[] unpremultiply(RasterImage image) {
        byte[] samples = image.samples().clone();
        int channels = image.mode().channels();
        for (int at = 0; at < samples.length; at += channels) {
            int alpha = samples[at + channels - 1] & 0xff;
            if (alpha == 0 || alpha == 255) {
                continue;
            }
            for (int c = 0; c < channels - 1; c++) {
                samples[at + c] = (byte) Math.min(255, 255 * (samples[at + c] & 0xff) / alpha);
            }
        }
        return samples;
    }
}
