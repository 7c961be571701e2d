package dev.diva.mllm;

import dev.diva.data.RasterImage;

/** What is done to an image that is not square before the tower's own preprocessing. */
public enum ImageAspect {
    /** Pasted onto a square of the tower's mean colour, as LLaVA evaluates and trains its second stage. */
    PAD,
    /** Nothing: the preprocessing crops the centre, as the hub's processor and LLaVA's first stage do. */
    CROP;

    /**
     * The image that the preprocessing gets.
     *
     * @param mean of the tower's preprocessing, per channel in 0..1
     */
    public RasterImage apply(RasterImage image, float... mean) {
        if (this == CROP || image.width() == image.height()) {
            return image;
        }
        RasterImage rgb = image.toRgb();
        int side = Math.max(rgb.width(), rgb.height());
        byte[] canvas = new byte[Math.multiplyExact(3 * side, side)];
        for (int i = 0; i < canvas.length; i++) {
            canvas[i] = (byte) (int) (mean[i % 3] * 255.0);
        }
        int left = (side - rgb.width()) / 2;
        int top = (side - rgb.height()) / 2;
        for (int y = 0; y < rgb.height(); y++) {
            int to = ((top + y) * side + left) * 3;
            System.arraycopy(rgb.samples(), y * rgb.width() * 3, canvas, to, rgb.width() * 3);
        }
        return RasterImage.of(rgb.mode(), side, side, canvas);
    }
}
