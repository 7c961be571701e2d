package dev.diva.eval;

import dev.diva.BadInputException;
import dev.diva.clip.Backbone;
import dev.diva.clip.Clip;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.model.Tokenizer;
import java.util.Arrays;
import java.util.List;

/** A {@link Clip} as its scores see it: pictures and texts are prepared as the benchmarks do, whatever the layout of the checkpoint. */
public final class ClipEncoder implements ImageTextEncoder {
    /** How the pooled token and the local ones become one feature. */
    private enum Mix {
        POOLED,
        MEAN_LOCAL,
        SUM,
        SUM_OF_UNITS
    }

    private final String name;
    private final Clip clip;
    private final Mix mix;
    private final ImageDecoder decoder = ImageDecoder.reference();

    /** The caller keeps the model and closes it. */
    public ClipEncoder(String name, Clip clip, Feature feature) {
        this.name = name;
        this.clip = clip;
        this.mix = mix(clip, feature);
    }

    private static Mix mix(Clip clip, Feature feature) {
        return switch (feature) {
            case ZERO_SHOT -> Mix.POOLED;
            case MEAN_LOCAL -> Mix.MEAN_LOCAL;
            case CLASS_PLUS_MEAN_LOCAL -> Mix.SUM;
            case BACKBONE ->
                mix(
                        clip.backbone()
                                .map(Backbone::evaluation)
                                .orElseThrow(
                                        () -> new BadInputException(
                                                "this CLIP is not in the table of backbones, so it has no published feature of its own")));
        };
    }

    private static Mix mix(String evaluation) {
        return switch (evaluation) {
            case "pooled" -> Mix.POOLED;
            case "pooled_plus_mean_local" -> Mix.SUM;
            case "unit_pooled_plus_mean_unit_local" -> Mix.SUM_OF_UNITS;
            default -> throw new IllegalStateException("backbone table: unknown evaluation " + evaluation);
        };
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public float[] pixels(ImageEntry image) {
        return clip.preprocessing().asBenchmarksDo().pixels(decoder.decode(image.read(), image.name()));
    }

    @Override
    public float[][] images(List<float[]> pixels) {
        if (mix == Mix.POOLED) {
            return clip.encodeImages(pixels);
        }
        float[][] features = clip.encodeTokens(pixels);
        for (int i = 0; i < features.length; i++) {
            features[i] = mixed(features[i], clip.embeddingDim());
        }
        return features;
    }

    private float[] mixed(float[] tokens, int width) {
        int numLocal = tokens.length / width - 1;
        float[] feature = mix == Mix.MEAN_LOCAL ? new float[width] : token(tokens, 0, width);
        double[] sum = new double[width];
        for (int local = 1; local <= numLocal; local++) {
            float[] token = token(tokens, local, width);
            for (int i = 0; i < width; i++) {
                sum[i] += token[i];
            }
        }
        for (int i = 0; i < width; i++) {
            feature[i] += (float) (sum[i] / numLocal);
        }
        return Vectors.unit(feature);
    }

    private float[] token(float[] tokens, int number, int width) {
        float[] token = Arrays.copyOfRange(tokens, number * width, (number + 1) * width);
        return mix == Mix.SUM_OF_UNITS ? Vectors.unit(token) : token;
    }

    @Override
    public float[][] texts(List<String> texts) {
        Tokenizer tokenizer = clip.tokenizer();
        return clip.encodeIds(
                texts.stream().map(tokenizer::encodeAsBenchmarksDo).toList(), Clip.Scale.UNIT);
    }

    @Override
    public String textTower() {
        return clip.textTower();
    }

    @Override
    public float logitScale() {
        return clip.logitScale();
    }
}
