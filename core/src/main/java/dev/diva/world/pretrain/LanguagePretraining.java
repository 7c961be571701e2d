package dev.diva.world.pretrain;

import dev.diva.BadInputException;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.language.Llama;
import dev.diva.language.LlamaTokenizer;
import dev.diva.train.TrainListener.Outcome;
import dev.diva.world.WorldRecipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;

/** Trains the small language model to read captions: what it will be told through the projector of a LLaVA it is told in words here. */
public final class LanguagePretraining {
    /** What the shipped language model was trained with. */
    public static final PretrainSettings DEFAULT = new PretrainSettings(1, 2500, 16, 2e-3);

    private final WorldRecipe world;
    private final PretrainSettings settings;
    private final PretrainListener listener;

    public LanguagePretraining(WorldRecipe world, PretrainSettings settings, PretrainListener listener) {
        this.world = world;
        this.settings = settings;
        this.listener = listener;
    }

    /** Trains and writes a folder as transformers saves a Llama, fp16; an interrupted training goes on. */
    public Outcome run(PretrainLaunch launch) {
        Pretraining pretraining = new Pretraining(world, settings, launch, listener);
        try (PointerScope scope = new PointerScope();
                Weights weights = Weights.trained(
                        InitialWeights.of(settings.seed(), Map.of()), Placement.cpu(Precision.FP32), name -> true);
                Scratch scratch = Scratch.create();
                LlamaTokenizer tokenizer = tokenizer(scratch.folder())) {
            Llama llama = new Llama(weights, MiniLanguage.shape());
            weights.finish();
            CaptionReading objective = new CaptionReading(llama, tokenizer, world);
            return pretraining.train(weights, objective, pretraining.batches(world.pretrain()), Map.of(), folder -> {
                Pretraining.write(folder.resolve("model.safetensors"), weights.tensors());
                Files.writeString(
                        folder.resolve("config.json"), MiniLanguage.config().toPrettyString() + "\n");
                MiniLanguage.writeTokenizer(folder);
            });
        }
    }

    private static LlamaTokenizer tokenizer(Path folder) {
        try {
            MiniLanguage.writeTokenizer(folder);
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be written: " + e.getMessage(), e);
        }
        return LlamaTokenizer.open(folder, LlamaTokenizer.Kind.FAST);
    }
}
