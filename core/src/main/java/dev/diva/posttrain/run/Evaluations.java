package dev.diva.posttrain.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.checkpoint.Temporary;
import dev.diva.clip.VisionModel;
import dev.diva.train.StepRecord;
import dev.diva.train.TrainListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.function.ObjLongConsumer;

/** Held-out scores before, during and after training, and the best model so far in {@code best/}. */
final class Evaluations implements TrainListener {
    private static final String SCORE = "score.json";

    private final RunFiles files;
    private final VisionModel vision;
    private final ScoredModel scores;
    private final double average;
    private final Long every;
    private final ObjLongConsumer<Map<String, Double>> measured;
    private double best = Double.NEGATIVE_INFINITY;

    /**
     * @param average share of the trained weights in what is judged, as in the result
     * @param every steps, or null for before and after only
     * @param measured told of each score and the steps done
     */
    Evaluations(
            RunFiles files,
            VisionModel vision,
            ScoredModel scores,
            double average,
            Long every,
            ObjLongConsumer<Map<String, Double>> measured) {
        this.measured = measured;
        this.files = files;
        this.vision = vision;
        this.scores = scores;
        this.average = average;
        this.every = every;
        Path known = files.best().resolve(SCORE);
        if (Files.exists(known)) {
            best = readScore(known);
        }
    }

    private static double readScore(Path file) {
        try {
            return new ObjectMapper()
                    .readTree(Files.readAllBytes(file))
                    .required("score")
                    .asDouble();
        } catch (IOException | IllegalArgumentException e) {
            throw new BadInputException(file + ": is no score: " + e.getMessage(), e);
        }
    }

    /** The untouched model. */
    void before(Path clip) {
        Path record = files.evaluations().resolve("before.json");
        if (!Files.exists(record)) {
            tell(scores.score(clip, record), 0);
        }
    }

    /** The result of so many steps. */
    void after(long steps) {
        tell(scores.score(files.clip(), files.evaluations().resolve("after.json")), steps);
    }

    private void tell(double score, long steps) {
        measured.accept(Map.of("score", score), steps);
    }

    @Override
    public void stepDone(StepRecord step) {
        long done = step.step() + 1;
        if (every == null || done % every != 0) {
            return;
        }
        try (Temporary candidate = Temporary.folder(files.best())) {
            judge(candidate.path().resolve("clip"), done);
        } catch (IOException e) {
            throw new BadInputException(files.run() + ": cannot be written: " + e, e);
        }
    }

    private void judge(Path candidate, long done) {
        vision.export(candidate, false, average);
        String name = String.format(Locale.ROOT, "step-%08d.json", done);
        double score = scores.score(candidate, files.evaluations().resolve(name));
        tell(score, done);
        if (score > best) {
            best = score;
            AtomicFolder.replace(files.best(), this::isOurs, temporary -> {
                Files.move(candidate, temporary.resolve("clip"));
                AtomicFile.writeString(
                        temporary.resolve(SCORE), "{\"step\": " + done + ", \"score\": " + score + "}\n");
            });
        }
    }

    private boolean isOurs(Path file) {
        return file.startsWith("clip") || file.toString().equals(SCORE);
    }
}
