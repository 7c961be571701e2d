package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.cli.TrainRuns.Outcome;
import dev.diva.hub.RemoteFiles;
import dev.diva.posttrain.run.RunFiles;
import dev.diva.testing.Close;
import dev.diva.testing.DataServer;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands on files behind addresses: the bits of the same files here. */
class RemoteCommandsTest {
    @TempDir
    private Path folder;

    private final DataServer server = new DataServer();
    private TrainRuns runs;

    @BeforeEach
    void pack() throws IOException {
        runs = new TrainRuns(folder);
        Path tars = Files.createDirectory(folder.resolve("tars"));
        List<Path> images;
        try (Stream<Path> files = Files.list(runs.images())) {
            images = files.sorted().toList();
        }
        for (int i = 0; i < 2; i++) {
            try (TarArchiveOutputStream tar =
                    new TarArchiveOutputStream(Files.newOutputStream(tars.resolve(i + ".tar")))) {
                for (Path image : images.subList(2 * i, 2 * i + 2)) {
                    tar.putArchiveEntry(
                            new TarArchiveEntry(image, image.getFileName().toString()));
                    Files.copy(image, tar);
                    tar.closeArchiveEntry();
                }
            }
        }
        server.with(tars);
    }

    @AfterEach
    void stop() {
        server.close();
        RemoteFiles.use(RemoteFiles.defaultFolder(), RemoteFiles.DEFAULT_BYTES);
    }

    private Path encode(String name, String... images) {
        Path file = folder.resolve(name + ".safetensors");
        List<String> arguments = new ArrayList<>(
                List.of("encode", "--clip", Golden.model("clip-hf-vit").toString()));
        arguments.addAll(List.of("--out", file.toString(), "--precision", "fp32", "--threads", "1"));
        arguments.addAll(List.of("--data-cache", folder.resolve("cache").toString(), "--images"));
        arguments.addAll(List.of(images));
        Outcome outcome = TrainRuns.run(arguments.toArray(String[]::new));
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return file;
    }

    @Test
    void embeddingsAreThoseOfFilesHere() {
        Path here = encode("here", folder + "/tars/{0..1}.tar");
        Path there = encode("there", server.address("{0..1}.tar") + "?token=hidden");
        try (PointerScope scope = new PointerScope();
                SafetensorsFile expected = SafetensorsFile.open(here);
                SafetensorsFile written = SafetensorsFile.open(there)) {
            Close.assertClose(written.read("image_embeds"), expected.read("image_embeds"), 0, 0);
            assertThat(written.metadata().get("images"))
                    .isEqualTo(expected.metadata().get("images").replace(folder + "/tars", server.at("localhost")))
                    .doesNotContain("hidden");
        }
    }

    @Test
    void aTrainingHasTheBitsOfFilesHereAndKeepsNoSecret() throws IOException {
        Path here = train("here", folder + "/tars/{0..1}.tar");
        Path there = train("there", server.address("{0..1}.tar") + "?X-Amz-Signature=hidden");
        String weights = "model.safetensors";
        assertThat(new RunFiles(there).clip().resolve(weights))
                .hasSameBinaryContentAs(new RunFiles(here).clip().resolve(weights));
        assertThat(there.resolve("recipe.yaml")).content().doesNotContain("hidden");
        assertThat(there.resolve("manifest.json"))
                .content()
                .contains("\"" + server.address("1.tar") + "\" : {")
                .doesNotContain("hidden");
    }

    /** What the recipe says serves a run that goes on without any option. */
    @Test
    void theRecipeSaysWhereDataIsKept() throws IOException {
        Path kept = folder.resolve("kept");
        String images = "images=[\"" + server.address("{0..1}.tar") + "\"]";
        Outcome outcome =
                runs.train("run", "--set", images, "--set", "data.cache=" + kept, "--set", "data.cacheSize=1GB");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(kept).isDirectoryContaining(file -> true);
        assertThat(folder.resolve("run/recipe.yaml")).content().contains("cache: " + kept, "cacheSize: 1GB");
        Outcome wrong = runs.train("wrong", "--set", images, "--set", "data.cacheSize=5 parsecs");
        assertThat(wrong.code()).isEqualTo(3);
        assertThat(wrong.err())
                .contains("recipe: data.cacheSize is 5 parsecs, expected at least 100MB, for instance 50GB or 20GiB");
    }

    private Path train(String name, String images) throws IOException {
        Outcome outcome = runs.train(
                name,
                "--set",
                "images=[\"" + images + "\"]",
                "--data-cache",
                folder.resolve("cache").toString());
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return folder.resolve(name);
    }

    @Test
    void scoresAreThoseOfFilesHere() throws IOException {
        String data = Golden.path("zeroshot").resolve("classification").toString();
        server.with(Path.of(data));
        String there = server.at("localhost");
        assertThat(score(there).replace(there, data)).isEqualTo(score(data));
    }

    private String score(String data) {
        Outcome outcome = TrainRuns.run(
                "eval",
                "zeroshot",
                "--clip",
                Golden.path("clip-hf-vit").toString(),
                "--data",
                data,
                "--json",
                "--data-cache",
                folder.resolve("cache").toString());
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return outcome.out();
    }

    @Test
    void wrongSizesAreUsage() {
        Outcome outcome = TrainRuns.run("encode", "--clip", "x", "--out", "x.json", "--data-cache-size", "5 parsecs");
        assertThat(outcome.code()).isEqualTo(2);
        assertThat(outcome.err()).contains("--data-cache-size is 5 parsecs, expected at least 100MB");
    }
}
