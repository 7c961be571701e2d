package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A teacher of the mini world that knows too little is kept, and its command fails. */
class PretrainCommandTest {
    @TempDir
    private Path folder;

    @Test
    void teacherThatKnowsTooLittleIsRefusedAndKept() {
        String clip = folder.resolve("clip").toString();
        String vae = folder.resolve("vae").toString();
        assertThat(world("pretrain-clip", clip).code()).isZero();
        assertThat(world("pretrain-vae", vae).code()).isZero();
        Path weak = folder.resolve("weak");
        TrainRuns.Outcome refused =
                world("pretrain-diffusion", weak.toString(), "--clip", clip, "--vae", vae, "--knows", "0.99");
        assertThat(refused.code()).isEqualTo(ExitCodes.WORK_FAILED);
        assertThat(refused.err())
                .contains("diva: the teacher tells the right caption from one with a changed attribute in ")
                .contains("expected 99.0 %: train on with --from " + weak);
        assertThat(weak.resolve("transformer/config.json")).exists();
    }

    private static TrainRuns.Outcome world(String command, String out, String... more) {
        List<String> arguments = new ArrayList<>(List.of("world", command, "--out", out, "--side", "16"));
        arguments.addAll(List.of("--captioned", "8", "--steps", "1", "--batch", "4", "--threads", "1"));
        arguments.addAll(Arrays.asList(more));
        return TrainRuns.run(arguments.toArray(String[]::new));
    }
}
