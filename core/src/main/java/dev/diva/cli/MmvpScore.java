package dev.diva.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.clip.Clip;
import dev.diva.eval.ClipEncoder;
import dev.diva.eval.Feature;
import dev.diva.eval.MmvpEvaluation;
import dev.diva.eval.MmvpReader;
import dev.diva.eval.MmvpSet;
import dev.diva.posttrain.run.ScoredModel;
import java.io.IOException;
import java.nio.file.Path;

/** The held-out score of training: the average over the patterns of MMVP-VLM, of the untouched zero-shot embedding. */
final class MmvpScore implements ScoredModel {
    private final MmvpSet set;
    private final Path original;
    private final String format;

    /**
     * @param original the untouched model
     * @param format its layout, or null to find it
     */
    MmvpScore(Path folder, Path original, String format) {
        this.original = original;
        this.format = format;
        this.set = MmvpReader.read(folder, MmvpReader.Missing.LEAVE_OUT);
    }

    @Override
    public double score(Path model, Path record) {
        MmvpEvaluation evaluation = new MmvpEvaluation(set);
        Clip.Options options = Clip.Options.DEFAULT.withFormat(model.equals(original) ? format : null);
        try (Clip clip = Clip.load(model, options)) {
            double average = evaluation
                    .add(new ClipEncoder(model.toString(), clip, Feature.ZERO_SHOT))
                    .metrics()
                    .get("average");
            ObjectNode found = evaluation.finish().toJson();
            EvalModels.settings(options.precision()).forEach(found::put);
            AtomicFile.writeString(
                    record, new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(found) + "\n");
            return average;
        } catch (IOException e) {
            throw new BadInputException(record + ": cannot be written: " + e, e);
        }
    }
}
