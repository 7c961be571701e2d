package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.testing.Golden;
import dev.diva.testing.JavaProcess;
import dev.diva.testing.OneThread;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Both stages from the outside: what they leave, exact resume, and what is said of bad input. */
@ExtendWith(OneThread.class)
class MllmTrainCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Golden DATA = Golden.resource("llava-train");
    private static final Golden MODEL = Golden.resource("llava-original");
    private static final Golden HF = Golden.resource("llava-hf");

    private static final int LIMIT_SECONDS = 240;

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"projector, stage1, ", "instruct, stage2, ", "instruct, stage2, --low-memory"})
    void resumedRunHasTheBitsOfTheUninterruptedOne(String stage, String data, String option) throws IOException {
        String[] more = option == null ? new String[0] : new String[] {option};
        Path whole = folder.resolve("whole");
        assertThat(train(stage, data, whole, more).code()).isZero();
        Path killed = folder.resolve("killed");
        train(stage, data, killed, "--set", "checkpoint.keep=9");
        // As if it had been killed behind its first step.
        delete(killed.resolve("checkpoints/step-00000002"));
        delete(killed.resolve("llava"));
        ObjectNode manifest =
                (ObjectNode) JSON.readTree(killed.resolve("manifest.json").toFile());
        manifest.remove("finished");
        Files.writeString(killed.resolve("manifest.json"), manifest.toString());
        assertThat(TrainRuns.run("mllm", "train", "--resume", "--out", killed.toString(), "--json")
                        .code())
                .isZero();
        for (String file : List.of("masters.safetensors", "optimizer.safetensors", "random.safetensors")) {
            String place = "checkpoints/step-00000002/" + file;
            assertThat(killed.resolve(place)).hasSameBinaryContentAs(whole.resolve(place));
        }
        String result = stage.equals("projector") ? "llava/mm_projector.bin" : "llava/adapter_model.safetensors";
        assertThat(killed.resolve(result)).hasSameBinaryContentAs(whole.resolve(result));
        assertThat(losses(killed)).isEqualTo(losses(whole));
    }

    /** Stage 1 and 2 one after the other in the hub's layout: the part over its base answers as the whole model. */
    @Test
    void partAndWholeModelAnswerTheSame() throws IOException {
        String hub = HF.file("gqa").toString();
        Path first = folder.resolve("first");
        train("projector", "stage1", first, "--llava", hub);
        String begun = first.resolve("llava").toString();
        train("instruct", "stage2", folder.resolve("part"), "--llava", begun);
        train("instruct", "stage2", folder.resolve("merged"), "--llava", begun, "--output", "merged");
        assertThat(folder.resolve("part/llava")).isDirectoryNotContaining("glob:**model.safetensors.index.json");
        String part = answer(folder.resolve("part/llava"));
        assertThat(answer(folder.resolve("merged/llava"))).isEqualTo(part);
        assertThat(answer(folder.resolve("part"))).isEqualTo(part); // the run stands for its result
        assertThat(inspect(folder.resolve("part")).path("part").asText()).isEqualTo("adapter");
        assertThat(inspect(first.resolve("llava")).path("part").asText()).isEqualTo("projector");
        TrainRuns.Outcome elsewhere = TrainRuns.run("inspect", folder + "/part/llava", "--base", hub, "--json");
        assertThat(JSON.readTree(elsewhere.out()).path("base").asText()).isEqualTo(hub);
        TrainRuns.Outcome other = TrainRuns.run(
                "mllm", "ask", "--text", "What?", "--llava", folder + "/part/llava", "--base", HF.file("mha") + "");
        assertThat(other.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(other.err()).contains("trained over another base").hasLineCount(1);
    }

    @Test
    void wholeLanguageModelLearnsAndIsWrittenWhole() throws IOException {
        Path run = folder.resolve("full");
        String[] full = {"--llava", MODEL.file("self-trained") + "", "--tower", "checkpoint"};
        TrainRuns.Outcome outcome = train("instruct", "stage2", run, more(full, "--set", "trainable.mode=full"));
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(answer(run.resolve("llava"))).isNotEmpty();
        assertThat(inspect(run.resolve("llava")).path("part").asText()).isEqualTo("model");
        TrainRuns.Outcome part = train(
                "instruct",
                "stage2",
                folder.resolve("x"),
                more(full, "--set", "trainable.mode=full", "--output", "part"));
        assertThat(part.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(part.err()).contains("set output to merged");
    }

    /** A language model alone becomes a LLaVA: the way that LLaVA itself was made. */
    @Test
    void languageModelBecomesALlava() throws IOException {
        Path vicuna = folder.resolve("vicuna");
        Files.createDirectories(vicuna);
        try (Stream<Path> files = Files.list(MODEL.file("released"))) {
            for (Path file : files.filter(f -> !f.endsWith("mm_projector.bin")).toList()) {
                Files.copy(file, vicuna.resolve(file.getFileName()));
            }
        }
        ObjectNode config =
                (ObjectNode) JSON.readTree(vicuna.resolve("config.json").toFile());
        config.put("model_type", "llama");
        config.remove(List.of("mm_vision_tower", "mm_hidden_size", "mm_projector_type", "mm_vision_select_layer"));
        Files.writeString(vicuna.resolve("config.json"), config.toString());
        TrainRuns.Outcome blind =
                train("projector", "stage1", folder.resolve("blind"), "--llava", vicuna + "", "--tower", "");
        assertThat(blind.code()).isNotZero();
        Path run = folder.resolve("run");
        TrainRuns.Outcome outcome = train("projector", "stage1", run, "--llava", vicuna + "");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(answer(run.resolve("llava"))).isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "image without placeholder | has an image, and 0 messages with <image>",
                "placeholder without image | has <image> and no \"image\"",
                "missing image | image nowhere.png is not in",
                "image outside | is not inside",
                "two turns of one | follow each other",
                "no turns | holds no turn of a person",
                "turn of another | expected \"from\" human or gpt"
            })
    void samplesThatCannotBeUsedAreToldAndRefusedAboveALimit(String fault, String said) throws IOException {
        Path data = data(DATA.json("stage2.json"), sample -> spoil(sample, fault));
        TrainRuns.Outcome refused = train("instruct", "stage2", folder.resolve("a"), "--data", data + "");
        assertThat(refused.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(refused.err())
                .hasLineCount(1)
                .contains("1 of 6 samples")
                .contains(said)
                .contains("sample 1 (a)");
        assertThat(folder.resolve("a")).doesNotExist();
        if (!fault.equals("missing image")) {
            return;
        }
        TrainRuns.Outcome left = train(
                "instruct", "stage2", folder.resolve("b"), "--data", data + "", "--max-bad-share", "0.2", "--json");
        assertThat(left.code()).as(left.err()).isZero();
        assertThat(left.err())
                .contains("warning: 1 of 6 samples cannot be used and are left out")
                .contains(said);
        assertThat(JSON.readTree(left.out()).path("skipped").asInt()).isEqualTo(1);
        assertThat(Files.readString(folder.resolve("b/manifest.json"))).contains(said.replace("\"", "\\\""));
    }

    private static void spoil(ObjectNode sample, String fault) {
        ArrayNode turns = (ArrayNode) sample.path("conversations");
        ObjectNode first = (ObjectNode) turns.get(0);
        switch (fault) {
            case "image without placeholder" -> first.put("value", "What?");
            case "placeholder without image" -> sample.remove("image");
            case "missing image" -> sample.put("image", "nowhere.png");
            case "image outside" -> sample.put("image", "../case.json");
            case "two turns of one" -> turns.add(turns.get(turns.size() - 1).deepCopy());
            case "no turns" -> sample.remove(List.of("image", "conversations"));
            default -> first.put("from", "system");
        }
    }

    @Test
    void imageThatCannotBeReadIsFoundOnTheWay() throws IOException {
        Path images = Files.createDirectory(folder.resolve("images"));
        Files.copy(HF.file("images/0.png"), images.resolve("0.png"));
        Files.writeString(images.resolve("1.png"), "no image");
        TrainRuns.Outcome refused = train("instruct", "stage2", folder.resolve("a"), "--images", images + "");
        assertThat(refused.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(refused.err())
                .contains("1 images cannot be read, more than the limit of 0.05")
                .contains("--resume");
        TrainRuns.Outcome left =
                train("instruct", "stage2", folder.resolve("b"), "--images", images + "", "--max-bad-share", "0.5");
        assertThat(left.code()).as(left.err()).isZero();
        assertThat(left.err()).contains("warning: nothing was learnt of 2 samples");
    }

    @Test
    void fileCutShortOrOfAnotherKindIsOneLine() throws IOException {
        String whole = Files.readString(DATA.file("stage2.json"));
        for (String text : List.of(whole.substring(0, whole.length() / 2), "{\"id\": 1}", "[]", "")) {
            Path data = Files.writeString(folder.resolve("data.json"), text);
            TrainRuns.Outcome outcome = train("instruct", "stage2", folder.resolve("a"), "--data", data + "");
            assertThat(outcome.code()).as(text).isEqualTo(ExitCodes.BAD_INPUT);
            assertThat(outcome.err()).hasLineCount(1).contains(data.toString());
        }
        assertThat(train("instruct", "stage2", folder.resolve("a"), "--data", folder + "/none.json")
                        .err())
                .hasLineCount(1)
                .contains("no such file");
    }

    @Test
    void repeatedIdsMismatchAndCutSamplesAreTold() throws IOException {
        Path data = data(DATA.json("stage2.json"), sample -> {
            sample.put("id", "b");
            ObjectNode answer = (ObjectNode) sample.path("conversations").get(1);
            answer.put("value", "a</s>b"); // its rounds do not add up
        });
        TrainRuns.Outcome outcome = train(
                "instruct",
                "stage2",
                folder.resolve("a"),
                "--data",
                data + "",
                "--set",
                "maxLength=125",
                "--set",
                "order=file");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.err())
                .contains("warning: 1 samples have an id that an earlier one has; the first: sample 2 (b)")
                .contains(
                        "have a tokenization mismatch, so that nothing of them is learnt; the first: data.json sample 1 (b)")
                .contains("samples are longer than 125 places and are cut there");
        JsonNode step = JSON.readTree(
                Files.readAllLines(folder.resolve("a/metrics.jsonl")).get(0));
        assertThat(step.path("mismatchedSamples").asDouble()).isEqualTo(0.5); // one in two micro-batches
        assertThat(step.path("cutSamples").asDouble()).isGreaterThan(0);
    }

    /** LLaVA's loss of such a micro-batch is not a number, and so would be all weights from there on. */
    @Test
    void microBatchWithoutLabelsIsSkippedAndCounted() throws IOException {
        Path data = data(
                DATA.json("stage2.json"),
                sample -> ((ObjectNode) sample.path("conversations").get(1)).put("value", "a</s>b"));
        TrainRuns.Outcome outcome = train(
                "instruct",
                "stage2",
                folder.resolve("a"),
                "--data",
                data + "",
                "--set",
                "order=file",
                "--set",
                "train.batch=1",
                "--set",
                "train.accumulate=2");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        JsonNode step = JSON.readTree(
                Files.readAllLines(folder.resolve("a/metrics.jsonl")).get(0));
        assertThat(step.path("batchesWithoutLabels").asDouble()).isEqualTo(0.5);
        assertThat(step.path("losses").get(0).asDouble()).isZero();
        assertThat(step.path("losses").get(1).asDouble()).isPositive();
        Path all = data(DATA.json("stage2.json"), sample -> {}); // every sample too short to hold an answer
        TrainRuns.Outcome none =
                train("instruct", "stage2", folder.resolve("b"), "--data", all + "", "--set", "maxLength=20");
        assertThat(none.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(none.err()).contains("none of 6 samples holds anything to learn");
    }

    @Test
    void captionsAreAnImageAndOneTurn() throws IOException {
        TrainRuns.Outcome outcome = train("projector", "stage2", folder.resolve("a"));
        assertThat(outcome.code()).isEqualTo(ExitCodes.BAD_INPUT);
        assertThat(outcome.err())
                .contains("3 of 6 samples")
                .contains("has 4 turns and an image; the template plain takes");
    }

    @Test
    void anotherRecipeIsNotResumed() {
        Path run = folder.resolve("run");
        train("instruct", "stage2", run);
        for (String assignment : List.of("train.lr=1e-3", "trainable.rank=2", "order=file")) {
            TrainRuns.Outcome outcome =
                    TrainRuns.run("mllm", "train", "--resume", "--out", run.toString(), "--set", assignment);
            assertThat(outcome.code()).isEqualTo(ExitCodes.BAD_INPUT);
            assertThat(outcome.err())
                    .contains("was started with another recipe: " + assignment.split("=", -1)[0]);
        }
    }

    /** Two processes share each micro-batch, whose labels are not in equal numbers on both. */
    @Test
    void twoProcessesTrainAsOneDoes() throws IOException {
        Path one = folder.resolve("one");
        train("instruct", "stage2", one, "--set", "train.accumulate=1");
        List<String> arguments = new ArrayList<>(arguments("instruct", "stage2", folder.resolve("two")));
        arguments.addAll(List.of("--set", "train.accumulate=1", "--processes", "2"));
        JavaProcess run = JavaProcess.start(folder, Main.class, Map.of(), arguments.toArray(String[]::new));
        assertThat(run.await(LIMIT_SECONDS)).as(run.output()).isZero();
        JsonNode alone =
                JSON.readTree(Files.readAllLines(one.resolve("metrics.jsonl")).get(0));
        JsonNode shared = JSON.readTree(
                Files.readAllLines(folder.resolve("two/metrics.jsonl")).get(0));
        for (String value : List.of("loss", "gradNorm", "labelledTokens")) {
            double expected = alone.path(value).asDouble();
            assertThat(shared.path(value).asDouble()).as(value).isCloseTo(expected, within(1e-5 * expected));
        }
    }

    private static List<String> losses(Path run) throws IOException {
        List<String> losses = new ArrayList<>();
        for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
            losses.add(JSON.readTree(line).path("losses").toString());
        }
        return losses;
    }

    /** The golden data with its first sample changed. */
    private Path data(JsonNode samples, java.util.function.Consumer<ObjectNode> change) throws IOException {
        ArrayNode copy = samples.deepCopy();
        change.accept((ObjectNode) copy.get(0));
        return Files.writeString(folder.resolve("data.json"), copy.toString());
    }

    private String answer(Path llava) throws IOException {
        TrainRuns.Outcome outcome = TrainRuns.run(
                "mllm",
                "ask",
                "--llava",
                llava.toString(),
                "--image",
                HF.file("images/0.png") + "",
                "--text",
                "What?",
                "--max-new-tokens",
                "5",
                "--precision",
                "fp32",
                "--threads",
                "1",
                "--json");
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return JSON.readTree(outcome.out()).path("tokens").toString();
    }

    private static JsonNode inspect(Path path) throws IOException {
        return JSON.readTree(TrainRuns.run("inspect", path.toString(), "--json").out());
    }

    private TrainRuns.Outcome train(String stage, String data, Path out, String... more) {
        return TrainRuns.run(arguments(stage, data, out, more).toArray(String[]::new));
    }

    private static List<String> arguments(String stage, String data, Path out, String... more) {
        List<String> all = new ArrayList<>(List.of("mllm", "train", "--stage", stage, "--out", out.toString()));
        List<String> given = Arrays.asList(more);
        add(all, given, "--llava", MODEL.file("released"));
        if (!given.contains("--llava") || given.stream().anyMatch(text -> text.endsWith("vicuna"))) {
            add(all, given, "--tower", MODEL.file("clip"));
        }
        add(all, given, "--data", DATA.file(data + ".json"));
        add(all, given, "--images", HF.file("images"));
        List<String> settings = new ArrayList<>(List.of(
                "precision=fp32",
                "threads=1",
                "train.steps=2",
                "train.batch=2",
                "train.accumulate=2",
                "checkpoint.every=1"));
        if (stage.equals("instruct")) {
            settings.addAll(List.of("trainable.rank=4", "trainable.alpha=8"));
        }
        settings.forEach(setting -> all.addAll(List.of("--set", setting)));
        all.addAll(given);
        return all;
    }

    private static void add(List<String> all, List<String> given, String option, Path value) {
        if (!given.contains(option)) {
            all.addAll(List.of(option, value.toString()));
        }
    }

    private static String[] more(String[] first, String... then) {
        return Stream.concat(Arrays.stream(first), Arrays.stream(then)).toArray(String[]::new);
    }

    private static void delete(Path path) throws IOException {
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
