package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.data.Filter;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.data.ImageTransform;
import dev.diva.data.RasterImage;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * How a checkpoint wants its pixels.
 *
 * @param resizeTo what the shorter side, or both, are resized to, pixels
 * @param imageSize side of the square that the tower sees: the centre of what is resized
 * @param resize how an image becomes a square
 * @param interpolation filter of the resize
 * @param convertsFirst whether an image becomes RGB before it is resized (transformers) or after (OpenAI, open_clip)
 * @param mean subtracted per channel from values in 0..1
 * @param std divided by per channel
 * @param patches where a picture keeps its ratio, how many patches it becomes at most; or null
 */
public record Preprocessing(
        int resizeTo,
        int imageSize,
        Resize resize,
        Interpolation interpolation,
        boolean convertsFirst,
        float[] mean,
        float[] std,
        PatchBudget patches) {
    /** Of pictures that become squares. */
    public Preprocessing(
            int resizeTo,
            int imageSize,
            Resize resize,
            Interpolation interpolation,
            boolean convertsFirst,
            float[] mean,
            float[] std) {
        this(resizeTo, imageSize, resize, interpolation, convertsFirst, mean, std, null);
    }

    /** How an image becomes a square. */
    public enum Resize {
        /** The shorter side to the size, then the centre. */
        SHORTEST_CROP,
        /** Both sides to the size, whatever the aspect. */
        SQUASH
    }

    /** Filter of the resize, as PIL computes it. */
    public enum Interpolation {
        BICUBIC,
        BILINEAR,
        LANCZOS
    }

    private static final float[] OPENAI_MEAN = floats(0.48145466, 0.4578275, 0.40821073);
    private static final float[] OPENAI_STD = floats(0.26862954, 0.26130258, 0.27577711);
    private static final Set<String> OPEN_CLIP_KEYS =
            Set.of("size", "mode", "mean", "std", "interpolation", "resize_mode", "fill_color");
    private static final float[] HALF = {0.5f, 0.5f, 0.5f};

    public Preprocessing {
        mean = mean.clone();
        std = std.clone();
        if (imageSize < 1 || resizeTo < imageSize) {
            throw new BadInputException("images resized to " + resizeTo + " and cropped to " + imageSize);
        }
        for (float value : std) {
            if (!(value > 0)) {
                throw new BadInputException("standard deviation of pixels " + Arrays.toString(std) + ", expected > 0");
            }
        }
    }

    /** What the family of the tower does when its files do not say: CLIP crops, SigLIP squashes. */
    static Preprocessing of(VisionConfig vision, boolean convertsFirst) {
        int size = Math.toIntExact(vision.imageSize());
        boolean isSiglip = vision.pooling() == VisionConfig.Pooling.MAP;
        boolean isFlexible = vision.form().flexible();
        return new Preprocessing(
                size,
                size,
                isSiglip ? Resize.SQUASH : Resize.SHORTEST_CROP,
                isFlexible ? Interpolation.BILINEAR : Interpolation.BICUBIC,
                convertsFirst,
                isSiglip ? HALF : OPENAI_MEAN,
                isSiglip ? HALF : OPENAI_STD,
                isFlexible
                        ? new PatchBudget(Math.toIntExact(vision.patchSize()), Math.toIntExact(vision.numPatches()))
                        : null);
    }

    /** Reads {@code preprocess_cfg} of open_clip_config.json. */
    static Preprocessing ofOpenClip(ConfigJson json, VisionConfig vision) {
        Preprocessing fallback = of(vision, false);
        json.requireOnly(Map.of("mode", Set.of("RGB"), "fill_color", Set.of("0")));
        json.requireKnown(OPEN_CLIP_KEYS::contains);
        int size = Math.toIntExact(json.side("size", vision.imageSize()));
        requireSize(json, size, vision);
        String mode = json.text("resize_mode", "shortest");
        Resize resize = switch (mode) {
            case "shortest" -> Resize.SHORTEST_CROP;
            case "squash" -> Resize.SQUASH;
            default ->
                throw new BadInputException(
                        json.location() + ": resize_mode " + mode + ", expected shortest or squash");
        };
        Interpolation interpolation = switch (json.text("interpolation", "bicubic")) {
            case "bicubic", "random" -> Interpolation.BICUBIC; // random is of training
            case "bilinear" -> Interpolation.BILINEAR;
            default -> throw json.wrong("interpolation", "bicubic or bilinear");
        };
        return new Preprocessing(
                size,
                size,
                resize,
                interpolation,
                false,
                json.channels("mean", fallback.mean),
                json.channels("std", fallback.std));
    }

    /**
     * The same in the order of OpenAI's and open_clip's code, whatever library the checkpoint is of. The benchmarks of CLIPs are scored
     * with it, so that a score does not depend on the layout of the file.
     */
    public Preprocessing asBenchmarksDo() {
        return new Preprocessing(resizeTo, imageSize, resize, interpolation, false, mean, std, patches);
    }

    /**
     * The pixels that the tower takes.
     *
     * @param image decoded, in its file's own colour mode
     * @return normalised, channels first: 3 * imageSize * imageSize values; of a picture that keeps its ratio height and width first, then 3 *
     *     height * width values
     */
    public float[] pixels(RasterImage image) {
        if (patches != null) {
            return patches.pixels(image.toRgb(), Filter.valueOf(interpolation.name()), mean, std);
        }
        boolean crops = resize == Resize.SHORTEST_CROP;
        ImageTransform.Order cropped = convertsFirst ? ImageTransform.Order.RGB_FIRST : ImageTransform.Order.SHORTEST;
        ImageTransform transform = new ImageTransform(
                crops ? cropped : ImageTransform.Order.SQUASH,
                resizeTo,
                imageSize,
                Filter.valueOf(interpolation.name()),
                mean,
                std);
        return transform.apply(convertsFirst ? image.toRgb() : image);
    }

    /** The same of an image file, with the pixels of the reference code. */
    float[] pixels(Path file) {
        ImageEntry image = ImageEntry.of(file);
        return pixels(ImageDecoder.reference().decode(image.read(), image.name()));
    }

    private static float[] floats(double red, double green, double blue) {
        return new float[] {(float) red, (float) green, (float) blue};
    }

    static void requireSize(ConfigJson json, int size, VisionConfig vision) {
        if (size != vision.imageSize()) {
            throw new BadInputException(
                    json.location() + ": images of " + size + " pixels, but the tower takes " + vision.imageSize());
        }
    }

    @Override
    public float[] mean() {
        return mean.clone();
    }

    @Override
    public float[] std() {
        return std.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Preprocessing that
                && resizeTo == that.resizeTo
                && imageSize == that.imageSize
                && resize == that.resize
                && interpolation == that.interpolation
                && convertsFirst == that.convertsFirst
                && Arrays.equals(mean, that.mean)
                && Arrays.equals(std, that.std)
                && Objects.equals(patches, that.patches);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * imageSize + resize.hashCode()) + Arrays.hashCode(mean);
    }

    @Override
    public String toString() {
        if (patches != null) {
            return "at most " + patches.count() + " patches of " + patches.side()
                    + " pixels at the picture's own ratio, " + interpolation + ", mean " + Arrays.toString(mean)
                    + ", std " + Arrays.toString(std);
        }
        String whole = resizeTo == imageSize ? "" : "resized to " + resizeTo + ", centre of ";
        return whole + imageSize + " pixels, " + resize + ", " + interpolation + ", mean " + Arrays.toString(mean)
                + ", std " + Arrays.toString(std);
    }
}
