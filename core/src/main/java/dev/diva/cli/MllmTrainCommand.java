package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.diva.engine.ProcessGroup;
import dev.diva.mllm.train.StageInputs;
import dev.diva.mllm.train.StageKeys;
import dev.diva.mllm.train.StageRun;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** LLaVA-1.5's two stages. */
@Command(
        name = "train",
        mixinStandardHelpOptions = true,
        description =
                "Train a LLaVA-1.5: its projector from captions, then projector and language model from conversations.",
        footer = {"", "SIGTERM and SIGINT write a checkpoint and end with code 75: go on with --resume."})
public final class MllmTrainCommand extends TrainingCommand<StageRun> {
    @Mixin
    private StageOptions options;

    @Override
    int train() throws JsonProcessingException {
        StageKeys keys = resume() ? options.over(StageKeys.ofRun(out())) : options.keys();
        requireFreeFolder();
        try (StageInputs inputs = StageInputs.load(keys);
                ProcessGroup group =
                        processes().join(inputs.placement(), inputs.keys().toYaml())) {
            return run(group, () -> StageRun.open(inputs, launch(options.files()), group));
        }
    }

    @Override
    void describe(StageRun run, boolean isDone, long samples, Map<String, Object> record) {
        record.put("llava", isDone ? run.result().toString() : null);
        record.put("samples", samples);
    }

    @Override
    String remark(StageRun run) {
        return run.skipped() == 0
                ? null
                : "warning: nothing was learnt of " + run.skipped() + " samples; manifest.json lists them";
    }
}
