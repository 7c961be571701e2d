package dev.diva.world.pretrain;

import dev.diva.clip.ClipConfig;
import dev.diva.clip.Preprocessing;
import dev.diva.clip.TextConfig;
import dev.diva.clip.VisionConfig;
import dev.diva.model.Activation;
import dev.diva.model.TextTransformer;
import dev.diva.model.TransformerConfig;
import dev.diva.model.WordVocabulary;
import dev.diva.world.scene.Attribute;
import dev.diva.world.scene.Background;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Kind;
import java.util.ArrayList;
import java.util.List;

/** Shape, pixels and words of the small CLIP. */
final class MiniClip {
    /** Ids of a text: the longest full caption takes 30. */
    static final int CONTEXT_LENGTH = 32;

    private static final int GRID = 4; // patches along a side

    private static final TransformerConfig VISION = new TransformerConfig(96, 288, 4, 4, Activation.QUICK_GELU, 1e-5);
    private static final TransformerConfig TEXT = new TransformerConfig(96, 192, 3, 4, Activation.QUICK_GELU, 1e-5);
    private static final int EMBEDDING = 96;
    private static final float[] HALF = {0.5f, 0.5f, 0.5f};

    private MiniClip() {}

    static ClipConfig config(WordVocabulary vocabulary, int imageSize) {
        TextTransformer.Config text = new TextTransformer.Config(TEXT, vocabulary.size(), CONTEXT_LENGTH, true);
        return new ClipConfig(
                new VisionConfig(VISION, imageSize, imageSize / GRID, VisionConfig.Pooling.CLASS_TOKEN, EMBEDDING),
                new TextConfig(text, TextConfig.Pooling.FIRST_EOS, vocabulary.size() - 1L, EMBEDDING));
    }

    /** Values in -1..1. */
    static Preprocessing preprocessing(int imageSize) {
        return new Preprocessing(
                imageSize,
                imageSize,
                Preprocessing.Resize.SHORTEST_CROP,
                Preprocessing.Interpolation.BICUBIC,
                true,
                HALF,
                HALF);
    }

    /** Every word that a caption of the world may have. */
    static WordVocabulary vocabulary() {
        List<String> texts = new ArrayList<>(List.of(Captions.PROMPT, "a", "an", "and"));
        for (Background background : Background.values()) {
            texts.add(background.phrase());
        }
        for (Kind kind : Kind.values()) {
            texts.add(kind.noun());
        }
        for (Attribute attribute : Attribute.values()) {
            texts.addAll(attribute.phrases());
        }
        return WordVocabulary.of(texts);
    }
}
