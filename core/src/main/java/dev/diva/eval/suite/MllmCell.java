package dev.diva.eval.suite;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.eval.Result;
import dev.diva.eval.mllm.MllmRun;
import dev.diva.eval.mllm.Prompts;
import dev.diva.eval.mllm.Rules;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** One LLaVA, or its recorded answers, on one benchmark. */
final class MllmCell {
    private final Suite.ModelEntry model;
    private final Suite.DataEntry data;
    private final Task task;
    private final Path answers;

    /** @param answers folder of the answers, a folder per model */
    MllmCell(Suite.ModelEntry model, Suite.DataEntry data, Task task, Path answers) {
        this.model = model;
        this.data = data;
        this.task = task;
        this.answers = answers;
    }

    /** Answers what is not answered yet, and scores. */
    Result score(SuiteRun.Llavas llavas, MllmRun.Listener listener) {
        Prompts prompts = Prompts.named(data.text("prompts", Prompts.LLAVA.label()))
                .orElseThrow(() -> unknown("prompts", "llava, lmms-eval or vlmevalkit"));
        Rules rules = Rules.named(data.text("rules", Rules.LLAVA.label()))
                .orElseThrow(() -> unknown("rules", "llava, mme-tool, lmms-eval or vlmevalkit"));
        boolean isRecorded = model.kind() == Suite.Kind.ANSWERS;
        MllmRun run = new MllmRun(
                new MllmRun.Settings(
                        List.of(task.benchmark()),
                        data.folder().path(),
                        prompts,
                        rules,
                        judge(),
                        null,
                        isRecorded ? null : answers.resolve(data.name())),
                listener);
        if (isRecorded) {
            run.scoreRecorded(List.of(model.path()));
        } else {
            run.check();
            try (SuiteRun.LlavaModel llava = llavas.open(model, prompts)) {
                run.answer(llava);
            }
        }
        return run.evaluation().results().stream()
                .findFirst()
                .orElseThrow(() -> new BadInputException("answered, but there is no score without the replies of a"
                        + " judge; name them as judge of dataset " + data.name()));
    }

    private List<Path> judge() {
        JsonNode node = data.options().path("judge");
        List<Path> files = new ArrayList<>();
        if (node.isTextual()) {
            files.add(Path.of(node.asText()));
        }
        node.forEach(file -> files.add(Path.of(file.asText())));
        return files;
    }

    private BadInputException unknown(String key, String expected) {
        return new BadInputException(
                "dataset " + data.name() + ": " + key + " is \"" + data.text(key, "") + "\", expected " + expected);
    }
}
