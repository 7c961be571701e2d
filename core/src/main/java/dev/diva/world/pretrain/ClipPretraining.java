package dev.diva.world.pretrain;

import dev.diva.BadInputException;
import dev.diva.checkpoint.DrawnWeights;
import dev.diva.checkpoint.Weights;
import dev.diva.clip.ClipConfig;
import dev.diva.clip.ClipExport;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.model.ClipTokenizer;
import dev.diva.model.WordVocabulary;
import dev.diva.train.TrainListener.Outcome;
import dev.diva.world.WorldRecipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;

/**
 * Trains the small CLIP on web captions. As they rarely name a fine attribute, and training stops early, it learns the gist of an image
 * and stays blind to most else, as the published ones are.
 */
public final class ClipPretraining {
    /** What the shipped CLIP was trained with. */
    public static final PretrainSettings DEFAULT = new PretrainSettings(1, 4000, 96, 1.5e-3);

    private static final Map<String, Double> CONSTANTS = Map.of("logit_scale", Math.log(1 / 0.07));

    private static final List<String> TEXT = List.of("text_model.", "text_projection.", "logit_scale");

    private final WorldRecipe world;
    private final PretrainSettings settings;
    private final Path text; // or null
    private final PretrainListener listener;

    /**
     * @param text folder of an earlier CLIP whose text tower and scale this one has, unchanged: its vision tower alone learns, from new weights;
     *     or null
     */
    public ClipPretraining(WorldRecipe world, PretrainSettings settings, Path text, PretrainListener listener) {
        this.world = world;
        this.settings = settings;
        this.text = text;
        this.listener = listener;
    }

    /** Both towers from new weights. */
    public ClipPretraining(WorldRecipe world, PretrainSettings settings, PretrainListener listener) {
        this(world, settings, null, listener);
    }

    /** Trains and writes a folder in transformers' layout, fp16; an interrupted training goes on. */
    public Outcome run(PretrainLaunch launch) {
        Pretraining pretraining = new Pretraining(world, settings, launch, listener);
        WordVocabulary vocabulary = MiniClip.vocabulary();
        ClipConfig config = MiniClip.config(vocabulary, world.side());
        try (PointerScope scope = new PointerScope();
                Weights weights = weights();
                Scratch scratch = Scratch.create();
                ClipTokenizer tokenizer = tokenizer(vocabulary, scratch.folder())) {
            CaptionedScenes scenes = new CaptionedScenes(world);
            CaptionMatching objective = new CaptionMatching(weights, config, scenes, tokenizer, launch.processGroup());
            Map<String, Path> inputs = text == null ? Map.of() : Map.of("text", text);
            return pretraining.train(weights, objective, pretraining.batches(scenes.count()), inputs, folder -> {
                Pretraining.write(folder.resolve("model.safetensors"), weights.tensors());
                ClipExport.writeConfigs(config, MiniClip.preprocessing(world.side()), "float16", folder);
                vocabulary.write(folder, MiniClip.CONTEXT_LENGTH);
            });
        }
    }

    private Weights weights() {
        Placement cpu = Placement.cpu(Precision.FP32);
        DrawnWeights drawn = InitialWeights.of(settings.seed(), CONSTANTS);
        if (text == null) {
            return Weights.trained(drawn, cpu, name -> true);
        }
        EarlierWeights earlier = new EarlierWeights(drawn);
        TEXT.forEach(prefix -> earlier.with(text.resolve("model.safetensors"), prefix, prefix));
        return Weights.trained(earlier, cpu, name -> TEXT.stream().noneMatch(name::startsWith));
    }

    private static ClipTokenizer tokenizer(WordVocabulary vocabulary, Path folder) {
        try {
            vocabulary.write(folder, MiniClip.CONTEXT_LENGTH);
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be written: " + e.getMessage(), e);
        }
        return ClipTokenizer.open(folder, ClipTokenizer.Flavour.TRANSFORMERS);
    }
}
