package dev.diva.world.pretrain;

import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.Weights;
import dev.diva.engine.RandomStreams;
import dev.diva.train.AdamW;
import dev.diva.train.Checkpoints;
import dev.diva.train.MicroBatches;
import dev.diva.train.Objective;
import dev.diva.train.Schedule;
import dev.diva.train.TrainListener;
import dev.diva.train.TrainSettings;
import dev.diva.train.TrainState;
import dev.diva.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** What the three small models have in common: AdamW, warm-up and cosine, checkpoints to resume from, fp16 files. */
final class Pretraining {
    private static final double WEIGHT_DECAY = 0.01;
    private static final double MAX_GRAD_NORM = 1.0;
    private static final double WARMUP = 0.05;
    private static final int CHECKPOINT_EVERY = 250;

    private final PretrainSettings settings;
    private final Path checkpoints;
    private final TrainListener listener;

    /** @param checkpoints folder in which an interrupted training is found again */
    Pretraining(PretrainSettings settings, Path checkpoints, TrainListener listener) {
        this.settings = settings;
        this.checkpoints = checkpoints;
        this.listener = listener;
    }

    /** Trains all parameters of the weights in place, from the newest checkpoint if there is one. */
    void train(Weights weights, Objective objective, MicroBatches batches) {
        long warmup = Schedule.warmupSteps(WARMUP, settings.steps());
        Schedule schedule = new Schedule(Schedule.Kind.COSINE, settings.lr(), warmup, settings.steps());
        TrainSettings loop = new TrainSettings(schedule, schedule, 1, MAX_GRAD_NORM, CHECKPOINT_EVERY, 0);
        Checkpoints written = new Checkpoints(checkpoints, 1);
        try (AdamW optimizer = new AdamW(0.9, 0.98, 1e-8, WEIGHT_DECAY)) {
            TrainState fresh = new TrainState(0, weights.parameters(), optimizer, new RandomStreams(settings.seed()));
            TrainState start = written.newestIntact()
                    .map(folder -> Checkpoints.restore(folder, fresh))
                    .orElse(fresh);
            new Trainer(loop, objective, batches, written, listener).train(start);
        }
    }

    /** Where the training of an output is kept while it lasts: beside it. */
    static Path checkpoints(Path out) {
        return out.resolveSibling("." + out.getFileName() + ".training");
    }

    /** Removes a folder with all that is in it. */
    static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be removed: " + e.getMessage(), e);
        }
    }

    /** Writes tensors in fp16. */
    static void write(Path file, Map<String, Tensor> tensors) {
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> halves = new TreeMap<>();
            tensors.forEach((name, tensor) -> halves.put(name, tensor.detach().to(ScalarType.Half)));
            SafetensorsWriter.write(file, halves, Map.of("format", "pt"));
        }
    }
}
