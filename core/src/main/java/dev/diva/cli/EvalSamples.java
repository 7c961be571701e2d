package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.eval.CaptionSet;
import dev.diva.eval.ClassificationSet;
import dev.diva.eval.Evaluation;
import dev.diva.eval.First;
import dev.diva.eval.MmvpSet;
import dev.diva.eval.Result;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How many samples are scored, and where what was said of each is written. */
final class EvalSamples {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    private int limit; // 0 is none

    @Option(
            names = "--samples",
            paramLabel = "FILE",
            description = "Write what each model said of each sample, a JSON object a line.")
    private Path file;

    @Option(names = "--limit", paramLabel = "N", description = "Score the first N images or pairs of each set only.")
    void setLimit(int count) {
        if (count < 1) {
            throw new ParameterException(command.commandLine(), "--limit is " + count + ", expected at least 1");
        }
        limit = count;
    }

    ClassificationSet of(ClassificationSet set) {
        return limit == 0 ? set : First.of(set, limit);
    }

    CaptionSet of(CaptionSet set) {
        return limit == 0 ? set : First.of(set, limit);
    }

    MmvpSet of(MmvpSet set) {
        return limit == 0 ? set : First.of(set, limit);
    }

    /**
     * Makes sure, before the work, that the file can be written.
     *
     * @throws dev.diva.BadInputException when it exists
     */
    void requireNew() {
        if (file != null) {
            AtomicFile.requireNew(file, "--samples");
        }
    }

    /** Writes the file where one was asked for. */
    void write(Evaluation evaluation) throws JsonProcessingException {
        if (file == null) {
            return;
        }
        ObjectMapper json = new ObjectMapper();
        StringBuilder lines = new StringBuilder();
        for (Result result : evaluation.results()) {
            for (Supplier<Map<String, Object>> sample : result.samples()) {
                ObjectNode line =
                        json.createObjectNode().put("model", result.model()).put("data", result.data());
                line.setAll((ObjectNode) json.valueToTree(sample.get()));
                lines.append(json.writeValueAsString(line)).append('\n');
            }
        }
        AtomicFile.writeNew(file, lines.toString().getBytes(StandardCharsets.UTF_8));
    }
}
