package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.testing.Golden;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ExportCommandTest {
    @Test
    void thereAndBackOnTheCommandLineGivesTheSameBytes(@TempDir Path folder) throws IOException {
        Path original = Golden.model("clip-hf-vit");
        assertThat(run("--clip", original.toString(), "--to", "open_clip", "--out", folder + "/there"))
                .contains("hf to open_clip");
        run("--clip", folder + "/there", "--to", "hf", "--out", folder + "/back", "--json");
        assertThat(Files.mismatch(original.resolve("model.safetensors"), folder.resolve("back/model.safetensors")))
                .isEqualTo(-1);
        assertThat(folder.resolve("back/vocab.json")).hasSameBinaryContentAs(original.resolve("vocab.json"));
        assertThat(folder.resolve("back/config.json")).isNotEmptyFile();
    }

    private static String run(String... arguments) {
        StringWriter out = new StringWriter();
        int code = new CommandLine(new ExportCommand())
                .setOut(new PrintWriter(out))
                .execute(arguments);
        assertThat(code).isZero();
        return out.toString();
    }
}
