package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.data.Percentage.withPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.testing.Golden;
import dev.diva.testing.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.jsoup.Jsoup;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** GenHancer, DCR and un2CLIP through the command line, on the tiny golden models. */
class TrainMethodsTest {
    private static final int STEPS = 2;
    private static final int LIMIT_SECONDS = 240;
    private static final List<String> SMALL_DENOISER = List.of(
            "--set", "denoiser.width=32", "--set", "denoiser.heads=2", "--set", "denoiser={double: 1, single: 1}");

    @TempDir
    Path folder;

    @Test
    void genHancersSecondStageStartsFromTheFirst() throws IOException {
        List<String> first = new ArrayList<>(List.of("--set", "stage=1"));
        first.addAll(SMALL_DENOISER);
        train("first", "genhancer", first.toArray(String[]::new));
        assertThat(folder.resolve("first/clip")).doesNotExist();
        TrainRuns.Outcome painted = TrainRuns.run(
                "report", folder.resolve("first").toString(), "--diffusion", diffusion("genhancer", true));
        assertThat(painted.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(painted.err()).contains("first: is stage 1 of genhancer, whose CLIP is untouched");
        String stage1 = "stage1=" + folder.resolve("first");
        train("only", "genhancer", "--set", stage1);
        assertThat(folder.resolve("only/denoiser")).doesNotExist();
        assertThat(parameters("only")).anyMatch(name -> name.equals("visual_projection.lora_A.weight"));
        assertThat(parameters("only")).anyMatch(name -> name.endsWith("fc1.bias"));
        assertThat(parameters("only")).noneMatch(name -> name.startsWith("denoiser."));
        train("all", "genhancer-published", "--set", stage1, "--set", "denoiser.learns=true");
        assertThat(parameters("all")).anyMatch(name -> name.startsWith("denoiser."));
        assertThat(Files.mismatch(
                        folder.resolve("first/stage1/denoiser.safetensors"),
                        folder.resolve("all/denoiser/denoiser.safetensors")))
                .isNotNegative();
        assertThat(refused("other", "genhancer", "--set", stage1, "--clip", Golden.path("clip-hf-vit-gelu") + ""))
                .contains("stage1 " + folder.resolve("first/stage1"));
        assertThat(refused("width", "genhancer", "--set", stage1, "--set", "denoiser.width=64"))
                .contains("denoiser is width 64", "width 32");
        assertThat(refused("method", "dcr", "--set", stage1)).contains("is a run of objective genhancer, stage 1");
    }

    @Test
    void dcrsSecondStageStartsFromTheFirst() throws IOException {
        train("first", "dcr", "--set", "stage=1");
        train("second", "dcr-published", "--set", "stage1=" + folder.resolve("first"), "--set", "guard.weight=0.1");
        Files.move(folder.resolve("first/stage1"), folder.resolve("moved"));
        assertThat(refused("early", "dcr", "--set", "stage1=" + folder.resolve("first")))
                .contains("is not finished; go on with it by diva train --resume");
        JsonNode step = metrics("second").get(STEPS - 1);
        assertThat(step.path("ownShare").asDouble()).isBetween(0.0, 1.0);
        assertThat(step.path("guard").isNumber()).isTrue();
        assertThat(folder.resolve("second/clip/model.safetensors")).exists();
        assertThat(parameters("first")).allMatch(name -> name.startsWith("project_clip."));
    }

    @ParameterizedTest
    @ValueSource(strings = {"genhancer", "dcr", "un2clip"})
    void aRunIsTheSameResumedSharedAndInLittleMemory(String preset) throws IOException {
        train("run", preset, given(preset));
        Path last = checkpoint("run", STEPS);
        byte[] expected = Files.readAllBytes(last.resolve("masters.safetensors"));
        double loss = metrics("run").get(0).path("loss").asDouble();
        double norm = metrics("run").get(0).path("gradNorm").asDouble();
        paints("run", preset);
        Files.move(last, folder.resolve("taken")); // as if it had been killed after the first step
        TrainRuns.Outcome resumed = TrainRuns.run(
                "train", "--resume", "--out", folder.resolve("run").toString());
        assertThat(resumed.code()).as(resumed.err()).isZero();
        assertThat(Files.readAllBytes(last.resolve("masters.safetensors"))).isEqualTo(expected);

        List<String> two = arguments("two", preset, given(preset));
        two.addAll(List.of("--processes", "2"));
        JavaProcess shared = JavaProcess.start(folder, Main.class, Map.of(), two.toArray(String[]::new));
        assertThat(shared.await(LIMIT_SECONDS)).as(shared.output()).isZero();
        assertThat(Files.readAllBytes(checkpoint("two", STEPS).resolve("masters.safetensors")))
                .isEqualTo(expected);

        String[] more = Stream.concat(Arrays.stream(given(preset)), Stream.of("--low-memory"))
                .toArray(String[]::new);
        train("little", preset, more);
        assertThat(metrics("little").get(0).path("loss").asDouble()).isCloseTo(loss, within(1e-4));
        assertThat(metrics("little").get(0).path("gradNorm").asDouble()).isCloseTo(norm, withPercentage(0.01));
    }

    /** A denoiser as the authors' training writes it tells its sizes, but not how its heads turn. */
    @Test
    void whatABareDenoiserDoesNotTellIsToldAsAssumed() throws IOException {
        Path bare = folder.resolve("checkpoint-dit-100.safetensors");
        Files.copy(Golden.model("genhancer").resolve("denoiser.safetensors"), bare);
        List<String> arguments = arguments(
                "run",
                "genhancer",
                "--set",
                "stage1=" + bare,
                "--set",
                "projectors=" + Golden.model("genhancer").resolve("inputs.safetensors"));
        TrainRuns.Outcome outcome = TrainRuns.run(arguments.toArray(String[]::new));
        assertThat(outcome.code()).as(outcome.err()).isZero();
        String told = "no denoiser.json beside it: heads of 16 whose numbers turn with token, row and column as"
                + " [4, 6, 6] are assumed, with theta 10000";
        assertThat(outcome.err()).contains("warning: " + bare + ": " + told);
        assertThat(Files.readString(folder.resolve("run/manifest.json"))).contains(told);
    }

    /** Stable Diffusion 3 has positions for so many latents: more are refused where they are made, not where they are trained on. */
    @ParameterizedTest
    @ValueSource(strings = {"cache", "train"})
    void largerImagesThanTheTeacherTakesAreRefusedBeforeTheFirst(String command) throws IOException {
        Path teacher = Golden.path("sd35-medium");
        JsonNode transformer =
                new ObjectMapper().readTree(Files.readAllBytes(teacher.resolve("transformer/config.json")));
        JsonNode vae = new ObjectMapper().readTree(Files.readAllBytes(teacher.resolve("vae/config.json")));
        int latents = transformer.path("pos_embed_max_size").asInt()
                * transformer.path("patch_size").asInt();
        int largest = latents << (vae.path("block_out_channels").size() - 1);
        Path out = folder.resolve("out");
        List<String> words =
                new ArrayList<>(List.of(command, "--diffusion", teacher.toString(), "--out", out.toString()));
        words.addAll(List.of("--images", new TrainRuns(folder).images().toString(), "--crops", "1"));
        words.addAll(List.of("--set", "resolution=" + 2 * largest, "--set", "precision=fp32"));
        if (command.equals("train")) {
            words.addAll(List.of("--clip", Golden.model("clip-hf-vit").toString()));
        }
        TrainRuns.Outcome outcome = TrainRuns.run(words.toArray(String[]::new));
        assertThat(outcome.code()).isEqualTo(3);
        assertThat(outcome.err()).contains("resolution is " + 2 * largest + ", expected at most " + largest);
        assertThat(out.resolve("index.json")).doesNotExist();
    }

    /** Latents of the autoencoder in either layout, made beforehand, are all that a training needs of them. */
    @ParameterizedTest
    @ValueSource(strings = {"ae.safetensors", "vae"})
    void aCacheGivesWhatTheAutoencoderGives(String autoencoder) throws IOException {
        String diffusion = Golden.path("genhancer").resolve(autoencoder).toString();
        String[] more = Stream.concat(
                        Arrays.stream(given("genhancer")).map(word -> word.replace("=sampled", "=mean")),
                        Stream.of("--diffusion", diffusion, "--crops", "1"))
                .toArray(String[]::new);
        train("plain", "genhancer", more);
        Path cache = folder.resolve("latents");
        TrainRuns.Outcome made = TrainRuns.run(
                "cache",
                "--preset",
                "genhancer",
                "--diffusion",
                diffusion,
                "--images",
                folder.resolve("images").toString(),
                "--set",
                "resolution=64",
                "--set",
                "precision=fp32",
                "--set",
                "threads=1",
                "--crops",
                "1",
                "--out",
                cache.toString());
        assertThat(made.code()).as(made.err()).isZero();
        Map<String, Long> before = sizes(cache);
        train(
                "cached",
                "genhancer",
                Stream.concat(Arrays.stream(more), Stream.of("--cache", cache.toString()))
                        .toArray(String[]::new));
        assertThat(sizes(cache)).isEqualTo(before);
        assertThat(Files.readAllBytes(checkpoint("cached", STEPS).resolve("masters.safetensors")))
                .isEqualTo(Files.readAllBytes(checkpoint("plain", STEPS).resolve("masters.safetensors")));
    }

    private static Map<String, Long> sizes(Path cache) throws IOException {
        Map<String, Long> sizes = new TreeMap<>();
        try (Stream<Path> files = Files.walk(cache)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                sizes.put(file.toString(), Files.size(file));
            }
        }
        assertThat(sizes).isNotEmpty();
        return sizes;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "genhancer | | stage1 is not given: stage 2 of genhancer starts from the run of stage 1",
                "dcr | | stage1 is not given: stage 2 of dcr starts from the run of stage 1",
                "dcr | stage1=/nowhere | stage1 /nowhere: no such folder; expected the folder of a finished diva train",
                "dcr | train.batch=1 stage=1 | dcr compares the images of a batch with each other",
                "dcr | train.draws=2 stage=1 | dcr has one draw for each image",
                "dcr | stage=3 | stage is 3, expected 1 or 2",
                "dcr | stage=1 guard.weight=1 | guard is for stage: 2",
                "dcr | contrast.temperature=0 stage=1 | contrast.temperature is 0.0, expected above 0",
                "dcr | contrast.target=speed stage=1 | contrast.target is \"speed\", expected one of teacher, velocity",
                "un2clip | stage=1 | stage is a key of the objective genhancer and dcr, this recipe is of un2clip",
                "un2clip | contrast.temperature=1 | contrast.temperature is a key of the objective dcr",
                "un2clip | posterior=sampled crops=1 cache=/tmp/no | posterior: sampled takes another one each time",
                "un2clip | | the teacher takes no image embeddings",
                "corrected | objective=dcr | objective is dcr, the preset corrected is of diva",
                "corrected | trainable.biases=true | trainable.biases is a key of the objective genhancer",
                "genhancer | recap.tokens=class | recap.tokens is a key of the objective diva",
                "genhancer | levels.mea=1 | levels.mea is no key of a recipe; nearest: levels.mean",
                "genhancer | resolution=40 stage=1 denoiser.width=32 denoiser.heads=2 | resolution is 40",
                "genhancer | stage=1 denoiser.width=30 denoiser.heads=4 | hidden_size is 30",
            })
    void aRecipeThatDoesNotFitIsOneLine(String preset, String assignments, String problem) throws IOException {
        List<String> more = new ArrayList<>(List.of("--diffusion", diffusion(preset, true)));
        for (String assignment : assignments == null ? new String[0] : assignments.split(" ")) {
            more.addAll(List.of("--set", assignment));
        }
        assertThat(refused("bad", preset, more.toArray(String[]::new))).contains(problem);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "genhancer | preprocess/files | files: holds no run, and no denoiser.safetensors, no"
                        + " projectors.safetensors; expected the folder of a finished diva train --preset genhancer --set"
                        + " stage=1",
                "dcr | clip-hf-vit | clip-hf-vit: holds no run, and no projectors.safetensors; expected",
                "dcr | clip-hf-vit/config.json | recipe: stage1: ",
                "dcr | clip-hf-vit/model.safetensors | model.safetensors: no projector in it",
                "genhancer | clip-hf-vit/model.safetensors | model.safetensors: no flux-like denoiser in it",
            })
    void whatIsNoFirstStageIsToldOfItsKey(String preset, String path, String problem) throws IOException {
        assertThat(refused("bad", preset, "--set", "stage1=" + Golden.model(path)))
                .contains("recipe: stage1", problem);
    }

    /** The page of a run: its loss by name, DCR's control, and pictures that are not those of before. */
    private void paints(String out, String preset) throws IOException {
        Path run = folder.resolve(out);
        TrainRuns.Outcome outcome = TrainRuns.run(
                "report", run.toString(), "--diffusion", diffusion(preset, false), "--paint", "1", "--steps", "2");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        String page = Jsoup.parse(run.resolve("report.html")).body().text();
        String loss = Map.of("genhancer", "Velocity loss", "dcr", "Contrastive loss", "un2clip", "Denoising loss")
                .get(preset);
        assertThat(page.contains(loss + ": values")).isTrue();
        assertThat(page.contains("Share of images whose own condition wins")).isEqualTo(preset.equals("dcr"));
        assertThat(page.contains("paints each picture again from nothing but the CLIP's embedding"))
                .isTrue();
        Path painted = run.resolve("reconstructions");
        assertThat(Files.mismatch(painted.resolve("0-before.png"), painted.resolve("0-after.png")))
                .isNotNegative();
    }

    /** A Stable unCLIP must be told of the embedding, by one that has its width; found before anything is written. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "dcr | clip-hf-vit | the denoiser takes a condition vector of width",
                "corrected | clip-hf-vit | the denoiser takes a condition vector of width",
                "un2clip | siglip-hf | the tower's embeddings have width"
            })
    void aGeneratorThatIsToldOtherwiseIsRefused(String preset, String clip, String problem) throws IOException {
        String unclip = new TrainRuns(folder).unclip().toString();
        List<String> more = new ArrayList<>(List.of("--diffusion", unclip, "--clip", Golden.path(clip) + ""));
        more.addAll(preset.equals("dcr") ? List.of("--set", "stage=1") : List.of());
        assertThat(refused("bad", preset, more.toArray(String[]::new)))
                .contains("recipe: diffusion " + unclip + ": " + problem);
    }

    /** What a second stage starts from: weights of the golden cases. */
    private static String[] given(String preset) {
        return switch (preset) {
            case "genhancer" ->
                new String[] {
                    "--set",
                    "stage1=" + Golden.path("genhancer"),
                    "--set",
                    "projectors=" + Golden.path("genhancer").resolve("inputs.safetensors"),
                    "--set",
                    "denoiser.learns=true",
                    "--set",
                    "posterior=sampled"
                };
            case "dcr" ->
                new String[] {"--set", "projectors=" + Golden.path("dcr").resolve("inputs.safetensors")};
            default -> new String[] {"--set", "embeddingNoise=generator"};
        };
    }

    private String diffusion(String preset, boolean plain) throws IOException {
        if (preset.startsWith("genhancer")) {
            return Golden.path("genhancer").resolve("ae.safetensors").toString();
        }
        return plain || !preset.startsWith("un2clip")
                ? Golden.path("sd21").toString()
                : new TrainRuns(folder).unclip().toString();
    }

    private List<String> arguments(String out, String preset, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "train", "--preset", preset, "--out", folder.resolve(out).toString()));
        List<String> given = Arrays.asList(more);
        if (!given.contains("--clip")) {
            arguments.addAll(List.of("--clip", Golden.path("clip-hf-vit").toString()));
        }
        if (!given.contains("--diffusion")) {
            arguments.addAll(List.of("--diffusion", diffusion(preset, false)));
        }
        arguments.addAll(List.of("--images", new TrainRuns(folder).images().toString()));
        for (String assignment : List.of(
                "resolution=64",
                "precision=fp32",
                "threads=1",
                "train.steps=" + STEPS,
                "train.batch=2",
                "train.accumulate=2",
                "train.lr=0.001",
                "train.warmupSteps=0",
                "checkpoint={every: 1, keep: 9}")) {
            arguments.addAll(List.of("--set", assignment));
        }
        arguments.addAll(given);
        return arguments;
    }

    private void train(String out, String preset, String... more) throws IOException {
        TrainRuns.Outcome outcome = TrainRuns.run(arguments(out, preset, more).toArray(String[]::new));
        assertThat(outcome.code()).as(outcome.err()).isZero();
    }

    private String refused(String out, String preset, String... more) throws IOException {
        TrainRuns.Outcome outcome = TrainRuns.run(arguments(out, preset, more).toArray(String[]::new));
        assertThat(outcome.code()).as(outcome.err()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(outcome.err().lines()).as(outcome.err()).hasSize(1);
        assertThat(folder.resolve(out)).doesNotExist();
        return outcome.err();
    }

    private Path checkpoint(String out, int step) {
        return folder.resolve(out).resolve(String.format("checkpoints/step-%08d", step));
    }

    private List<String> parameters(String out) {
        try (PointerScope scope = new PointerScope();
                SafetensorsFile file =
                        SafetensorsFile.open(checkpoint(out, STEPS).resolve("masters.safetensors"))) {
            return file.tensors().stream().map(TensorInfo::name).toList();
        }
    }

    private List<JsonNode> metrics(String out) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve(out).resolve("metrics.jsonl"))) {
            lines.add(new ObjectMapper().readTree(line));
        }
        return lines;
    }
}
