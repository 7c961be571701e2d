package dev.diva.world.pretrain;

import dev.diva.checkpoint.AtomicFolder;
import dev.diva.checkpoint.Weights;
import dev.diva.clip.ClipConfig;
import dev.diva.clip.ClipExport;
import dev.diva.clip.TextTower;
import dev.diva.clip.VisionTower;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import dev.diva.model.ClipTokenizer;
import dev.diva.model.WordVocabulary;
import dev.diva.train.MicroBatch;
import dev.diva.train.Objective;
import dev.diva.train.TrainListener;
import dev.diva.world.WorldRecipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Trains the small CLIP on web captions. As they rarely name a fine attribute, and training stops early, it learns the gist of an image
 * and stays blind to most else, as the published ones are.
 */
public final class ClipPretraining {
    /** What the shipped CLIP was trained with. */
    public static final PretrainSettings DEFAULT = new PretrainSettings(1, 4000, 96, 1.5e-3);

    private static final Map<String, Double> CONSTANTS = Map.of("logit_scale", Math.log(1 / 0.07));

    private final WorldRecipe world;
    private final PretrainSettings settings;
    private final TrainListener listener;

    public ClipPretraining(WorldRecipe world, PretrainSettings settings, TrainListener listener) {
        this.world = world;
        this.settings = settings;
        this.listener = listener;
    }

    /** Trains and writes a folder in transformers' layout, fp16; an interrupted training goes on. */
    public void run(Path out) {
        AtomicFolder.requireFree(out, "choose another --out");
        WordVocabulary vocabulary = MiniClip.vocabulary();
        ClipConfig config = MiniClip.config(vocabulary, world.side());
        Path checkpoints = Pretraining.checkpoints(out);
        try (PointerScope scope = new PointerScope();
                Weights weights = Weights.trained(
                        new InitialWeights(settings.seed(), CONSTANTS), Placement.cpu(Precision.FP32), name -> true)) {
            Towers towers = new Towers(weights, config);
            CaptionedScenes scenes = new CaptionedScenes(world);
            try (ClipTokenizer tokenizer = tokenizer(vocabulary, checkpoints)) {
                Objective objective =
                        (batch, streams, accumulation) -> towers.backward(batch, captionIds(scenes, tokenizer, batch));
                new Pretraining(settings, checkpoints, listener)
                        .train(weights, objective, new SceneBatches(scenes, settings.seed(), settings.batch()));
            }
            AtomicFolder.write(out, folder -> {
                Pretraining.write(folder.resolve("model.safetensors"), weights.tensors());
                ClipExport.writeConfigs(config, MiniClip.preprocessing(world.side()), "float16", folder);
                vocabulary.write(folder, MiniClip.CONTEXT_LENGTH);
            });
        }
        Pretraining.delete(checkpoints);
    }

    private static ClipTokenizer tokenizer(WordVocabulary vocabulary, Path folder) {
        try {
            Files.createDirectories(folder);
            vocabulary.write(folder, MiniClip.CONTEXT_LENGTH);
        } catch (IOException e) {
            throw new dev.diva.BadInputException(folder + ": cannot be written: " + e.getMessage(), e);
        }
        return ClipTokenizer.open(folder, ClipTokenizer.Flavour.TRANSFORMERS);
    }

    private static Tensor captionIds(CaptionedScenes scenes, ClipTokenizer tokenizer, MicroBatch batch) {
        int[] indices = SceneBatches.indices(batch);
        long[] ids = new long[indices.length * MiniClip.CONTEXT_LENGTH];
        for (int i = 0; i < indices.length; i++) {
            long[] text = tokenizer.encode(scenes.webCaption(indices[i]));
            System.arraycopy(text, 0, ids, i * MiniClip.CONTEXT_LENGTH, text.length);
        }
        return Tensors.of(ids, indices.length, MiniClip.CONTEXT_LENGTH);
    }

    /** Both towers and the learned scale. */
    private static final class Towers {
        private final VisionTower vision;
        private final TextTower text;
        private final Tensor logLogitScale;

        Towers(Weights weights, ClipConfig config) {
            this.vision = new VisionTower(weights, config.vision());
            this.text = new TextTower(weights, config.text());
            this.logLogitScale = weights.vector("logit_scale");
            weights.finish();
        }

        double[] backward(MicroBatch batch, Tensor captionIds) {
            Tensor pixels =
                    batch.pixels().to(ScalarType.Float).div(new Scalar(127.5)).sub(new Scalar(1.0)); // -1..1
            Tensor loss = ContrastiveLoss.of(
                    vision.embedding(vision.encode(pixels)), text.embedding(captionIds), logLogitScale);
            loss.backward();
            return new double[] {loss.item_float()};
        }
    }
}
