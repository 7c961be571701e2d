package dev.diva.cli;

import static dev.diva.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.pickle.StateDictWriter;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Averages with the untouched model. */
class BlendCommandTest {
    private static final Path CLIP = Golden.path("clip-hf-vit");

    @TempDir
    Path folder;

    @Test
    void severalSharesMakeSeveralModels() throws IOException {
        Path trained = trained();
        Path out = folder.resolve("out");
        assertThat(blend(CLIP, trained, out, "0.25", "0", "1").code()).isZero();
        same(out.resolve("alpha-0.0"), CLIP);
        same(out.resolve("alpha-1.0"), trained);
        try (PointerScope scope = new PointerScope();
                SafetensorsFile was = SafetensorsFile.open(CLIP.resolve("model.safetensors"));
                SafetensorsFile is = SafetensorsFile.open(trained.resolve("model.safetensors"));
                SafetensorsFile mean = SafetensorsFile.open(out.resolve("alpha-0.25/model.safetensors"))) {
            String name = "vision_model.encoder.layers.0.mlp.fc1.weight";
            Tensor expected = was.read(name)
                    .to(torch.kFloat())
                    .mul(new Scalar(0.75))
                    .add(is.read(name).to(torch.kFloat()).mul(new Scalar(0.25)));
            assertClose(mean.read(name), expected, 1e-6, 1e-7);
        }
        TrainRuns.Outcome inspected =
                TrainRuns.run("inspect", out.resolve("alpha-0.25").toString());
        assertThat(inspected.code()).as(inspected.err()).isZero();
    }

    /** un2CLIP's release: the tower of the untouched model by OpenAI's names, here twice its values. */
    @Test
    void anImageTowerAloneGoesOverTheUntouched() throws IOException {
        Path file = folder.resolve("tower.ckpt");
        Path base = Golden.model("open_clip-vit-gelu");
        try (PointerScope scope = new PointerScope();
                SafetensorsFile was = SafetensorsFile.open(base.resolve("open_clip_model.safetensors"))) {
            Map<String, Tensor> tower = new HashMap<>();
            was.tensors().stream()
                    .map(TensorInfo::name)
                    .filter(name -> name.startsWith("visual."))
                    .forEach(name -> tower.put(
                            name.substring("visual.".length()), was.read(name).mul(new Scalar(2))));
            StateDictWriter.write(file, tower);
            Path out = folder.resolve("out");
            String[] call = {"blend", "--clip", base + "", "--visual", file + "", "--alpha", "0.25", "--out", out + ""};
            TrainRuns.Outcome outcome = TrainRuns.run(call);
            assertThat(outcome.code()).as(outcome.err()).isZero();
            try (SafetensorsFile mean = SafetensorsFile.open(out.resolve("open_clip_model.safetensors"))) {
                for (TensorInfo info : was.tensors()) {
                    double factor = info.name().startsWith("visual.") ? 1.25 : 1;
                    Tensor expected = was.read(info.name()).to(torch.kFloat()).mul(new Scalar(factor));
                    assertClose(mean.read(info.name()).to(torch.kFloat()), expected, 1e-6, 1e-7);
                }
            }
        }
        assertThat(TrainRuns.run("blend", "--clip", base + "", "--alpha", "1", "--out", folder + "/none")
                        .code())
                .isEqualTo(2);
    }

    @Test
    void oneShareIsTheFolderItselfInTheLayoutOfTheUntouched() throws IOException {
        Path openClip = folder.resolve("open_clip");
        TrainRuns.run("export", "--clip", trained().toString(), "--to", "open_clip", "--out", openClip.toString());
        assertThat(blend(CLIP, openClip, folder.resolve("one"), "1").code()).isZero();
        same(folder.resolve("one"), folder.resolve("trained"));
        assertThat(blend(openClip, CLIP, folder.resolve("two"), "0.5").code()).isZero();
        assertThat(folder.resolve("two/open_clip_config.json")).exists();
    }

    @Test
    void anotherShapeAForeignFolderAndNoNumberAreRefused() throws IOException {
        TrainRuns.Outcome other = blend(CLIP, Golden.path("siglip-hf"), folder.resolve("o"), "0.5");
        assertThat(other.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(other.err().lines()).as(other.err()).hasSize(1);
        assertThat(other.err()).contains("a blend is of a CLIP and what was trained from it");
        Path foreign = Files.createDirectories(folder.resolve("foreign/alpha-0.5"));
        Files.writeString(foreign.resolve("notes.txt"), "mine");
        TrainRuns.Outcome over = TrainRuns.run(
                "blend",
                "--overwrite",
                "--clip",
                CLIP.toString(),
                "--with",
                trained().toString(),
                "--alpha",
                "0.2",
                "0.5",
                "--out",
                folder.resolve("foreign").toString());
        assertThat(over.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(foreign.resolve("notes.txt")).hasContent("mine");
        assertThat(folder.resolve("foreign/alpha-0.2")).doesNotExist();
        assertThat(blend(CLIP, CLIP, folder.resolve("n"), "NaN").code()).isEqualTo(2);
    }

    private static TrainRuns.Outcome blend(Path clip, Path trained, Path out, String... alphas) {
        String[] fixed = {
            "blend", "--clip", clip.toString(), "--with", trained.toString(), "--out", out.toString(), "--alpha"
        };
        return TrainRuns.run(
                Stream.concat(Arrays.stream(fixed), Arrays.stream(alphas)).toArray(String[]::new));
    }

    /** The golden model with a changed image tower. */
    private Path trained() throws IOException {
        Path made = folder.resolve("trained");
        if (Files.exists(made)) {
            return made;
        }
        Files.createDirectories(made);
        Files.copy(CLIP.resolve("config.json"), made.resolve("config.json"));
        try (PointerScope scope = new PointerScope();
                SafetensorsFile file = SafetensorsFile.open(CLIP.resolve("model.safetensors"))) {
            Map<String, Tensor> tensors = new HashMap<>();
            for (TensorInfo info : file.tensors()) {
                Tensor value = file.read(info.name());
                boolean changes =
                        info.name().startsWith("vision_model.") && info.dtype().isFloating();
                tensors.put(info.name(), changes ? value.mul(new Scalar(1.5)) : value);
            }
            SafetensorsWriter.write(made.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        }
        return made;
    }

    private static void same(Path one, Path other) {
        try (PointerScope scope = new PointerScope();
                SafetensorsFile a = SafetensorsFile.open(one.resolve("model.safetensors"));
                SafetensorsFile b = SafetensorsFile.open(other.resolve("model.safetensors"))) {
            for (TensorInfo info : b.tensors()) {
                assertClose(a.read(info.name()), b.read(info.name()), 0, 0);
            }
        }
    }
}
