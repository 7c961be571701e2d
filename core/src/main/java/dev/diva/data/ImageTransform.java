package dev.diva.data;

import java.util.Arrays;

/**
 * The reference evaluation preprocessing of one image: resize, crop, RGB, scale to 0..1, normalise.
 *
 * @param resizeTo what the shortest side, or both, are resized to, pixels
 * @param size side of the square that the model takes, pixels: the centre of what is resized
 * @param mean per channel, subtracted from values in 0..1
 * @param std per channel, divided by
 */
public record ImageTransform(Order order, int resizeTo, int size, Filter filter, float[] mean, float[] std) {
    /** Which steps, in which order. */
    public enum Order {
        /** OpenAI and open_clip: shortest side to the size in the file's own mode, centre crop, then RGB. */
        SHORTEST,
        /** transformers' CLIPImageProcessor: RGB first, shortest side, centre crop. */
        RGB_FIRST,
        /** SigLIP: both sides to the size in the file's own mode, then RGB. */
        SQUASH
    }

    private static final float[] OPENAI_MEAN = {0.48145467f, 0.4578275f, 0.40821072f};
    private static final float[] OPENAI_STD = {0.26862955f, 0.2613026f, 0.2757771f};

    /** CLIP of OpenAI, MetaCLIP, DFN, ... */
    public static ImageTransform openAi(int size) {
        return new ImageTransform(Order.SHORTEST, size, size, Filter.BICUBIC, OPENAI_MEAN.clone(), OPENAI_STD.clone());
    }

    /** transformers' preprocessing of CLIP. */
    public static ImageTransform huggingFace(int size) {
        return new ImageTransform(Order.RGB_FIRST, size, size, Filter.BICUBIC, OPENAI_MEAN.clone(), OPENAI_STD.clone());
    }

    /** SigLIP: mean and std 0.5. */
    public static ImageTransform sigLip(int size) {
        float[] half = {0.5f, 0.5f, 0.5f};
        return new ImageTransform(Order.SQUASH, size, size, Filter.BICUBIC, half, half.clone());
    }

    /** The normalised image, [3, size, size]. */
    public float[] apply(RasterImage image) {
        return Normalize.toChw(toRgb(image), mean, std);
    }

    /** The image as the model sees it, before normalisation: RGB, size x size. */
    public RasterImage toRgb(RasterImage image) {
        return switch (order) {
            case SHORTEST -> shortest(image, Rounding.HALF_EVEN).toRgb();
            case RGB_FIRST -> shortest(image.toRgb(), Rounding.DOWN);
            case SQUASH ->
                centre(Resampler.resize(image, resizeTo, resizeTo, filter), Rounding.DOWN)
                        .toRgb();
        };
    }

    /** How an odd margin is split: torchvision rounds half to even, transformers down. */
    private enum Rounding {
        HALF_EVEN,
        DOWN
    }

    private RasterImage shortest(RasterImage image, Rounding rounding) {
        int width = image.width();
        int height = image.height();
        boolean wide = width > height;
        int longer = (int) ((long) resizeTo * Math.max(width, height) / Math.min(width, height));
        return centre(Resampler.resize(image, wide ? longer : resizeTo, wide ? resizeTo : longer, filter), rounding);
    }

    private RasterImage centre(RasterImage resized, Rounding rounding) {
        int top = margin(resized.height() - size, rounding);
        int left = margin(resized.width() - size, rounding);
        return resized.crop(new Box(top, left, size, size));
    }

    private static int margin(int excess, Rounding rounding) {
        return rounding == Rounding.DOWN ? excess / 2 : (int) Math.rint(excess / 2.0);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ImageTransform that
                && order == that.order
                && resizeTo == that.resizeTo
                && size == that.size
                && filter == that.filter
                && Arrays.equals(mean, that.mean)
                && Arrays.equals(std, that.std);
    }

    @Override
    public int hashCode() {
        return order.hashCode() * 31 + size;
    }
}
