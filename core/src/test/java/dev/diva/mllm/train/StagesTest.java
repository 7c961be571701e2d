package dev.diva.mllm.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.LowRank;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.engine.ProcessGroup;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.language.LlamaTokenizer;
import dev.diva.mllm.ImageAspect;
import dev.diva.mllm.Llava;
import dev.diva.mllm.LlavaResult;
import dev.diva.mllm.Prompt;
import dev.diva.mllm.PromptTemplate;
import dev.diva.mllm.TrainableLlava;
import dev.diva.mllm.TrainableLlava.Learning;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import dev.diva.testing.OneThread;
import dev.diva.train.AdamW;
import dev.diva.train.Contribution;
import dev.diva.train.ParameterGroup;
import dev.diva.train.Schedule;
import dev.diva.train.Sharding;
import dev.diva.train.TrainSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.StreamSupport;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Both stages against LLaVA's own data, label, sampler, model and optimizer code on random weights, fp32. */
@Tag("golden")
@ExtendWith(OneThread.class)
class StagesTest {
    private static final Golden CASE = Golden.of("llava-train");
    private static final Golden MODEL = Golden.of("llava-original");
    private static final Path IMAGES = Golden.of("llava-hf").file("images");
    private static final int LIMIT = 2048; // LLaVA's own

    @TempDir
    private Path folder;

    @Test
    void projectorAloneFollowsTheReference() {
        double rate = CASE.json("case.json")
                .path("learning rates")
                .path("stage 1 projector")
                .asDouble();
        try (PointerScope scope = new PointerScope();
                TrainableLlava model = load(TrainableLlava.FRESH, Learning.PROJECTOR)) {
            set(model, "stage1.init.");
            follow("stage1", model, List.of(new ParameterGroup("", schedule(rate), 0)));
            new LlavaResult(model).writeProjector(folder.resolve("made"));
            requireSameFile(folder.resolve("made/mm_projector.bin"), CASE.file("stage1-projector/mm_projector.bin"));
        }
    }

    @Test
    void adaptersAndProjectorFollowTheReference() throws Exception {
        JsonNode rates = CASE.json("case.json").path("learning rates");
        JsonNode adapter = CASE.json("stage2-lora/adapter_config.json");
        List<String> targets = StreamSupport.stream(
                        adapter.path("target_modules").spliterator(), false)
                .map(JsonNode::asText)
                .toList();
        LowRank.Plan plan = new LowRank.Plan(
                adapter.path("r").asInt(),
                adapter.path("lora_alpha").asDouble(),
                TrainableLlava.layersNamed(targets),
                new RandomStreams(1).stream("lora"));
        String projector = CASE.file("stage1-projector").toString();
        try (PointerScope scope = new PointerScope();
                TrainableLlava model = load(projector, new Learning(false, plan))) {
            set(model, "stage2.init.");
            follow(
                    "stage2",
                    model,
                    List.of(
                            new ParameterGroup(
                                    TrainableLlava.projectorPrefix(),
                                    schedule(rates.path("stage 2 projector").asDouble()),
                                    0),
                            new ParameterGroup(
                                    "", schedule(rates.path("stage 2 LoRA").asDouble()), 0)));
            LlavaResult result = new LlavaResult(model);
            result.writeAdapter(folder.resolve("part"), plan.alpha(), 0, targets);
            result.writeMerged(folder.resolve("whole"));
        }
        requireSameFile(
                folder.resolve("part/adapter_model.safetensors"), CASE.file("stage2-lora/adapter_model.safetensors"));
        requireSameFile(
                folder.resolve("part/non_lora_trainables.bin"), CASE.file("stage2-lora/non_lora_trainables.bin"));
        JsonNode made = new com.fasterxml.jackson.databind.ObjectMapper()
                .readTree(folder.resolve("part/adapter_config.json").toFile());
        for (String key : List.of("peft_type", "task_type", "r", "bias", "fan_in_fan_out", "inference_mode")) {
            assertThat(made.path(key)).as(key).isEqualTo(adapter.path(key));
        }
        assertThat(made.path("lora_alpha").asDouble())
                .isEqualTo(adapter.path("lora_alpha").asDouble());
        requireMerged();
    }

    /** The part as it is read, and the whole model, whose matrices are rounded to fp16. */
    private void requireMerged() {
        double tolerance = CASE.tolerance();
        String prompt = MODEL.json("prompts.json").path("prompts").get(0).asText();
        for (String read : List.of("part", "whole")) {
            try (PointerScope scope = new PointerScope();
                    NoGradGuard noGrad = new NoGradGuard();
                    Llava llava = Llava.load(folder.resolve(read), Llava.Options.DEFAULT)) {
                for (String name : Golden.endings(CASE.expected(), "merged.logits_last.")) {
                    Tensor pixels = CASE.input("stage2.pixel_values");
                    long index = Tensors.toLongs(CASE.input("stage2.step.0.image_index"))[Integer.parseInt(name)];
                    Tensor features = llava.projector().forward(llava.tower().forward(pixels.narrow(0, index, 1)));
                    Tensor logits = logits(llava, prompt, features);
                    Tensor expected = CASE.expected("merged.logits_last." + name);
                    double rounded = 0.01 * expected.abs().max().item_float(); // its matrices are fp16
                    Close.assertClose(logits, expected, 0, read.equals("part") ? tolerance : rounded);
                }
            }
        }
    }

    private static Tensor logits(Llava llava, String prompt, Tensor features) {
        TensorVector parts = new TensorVector();
        String[] texts = prompt.split(PromptTemplate.IMAGE, -1);
        long[] before = llava.tokenizer().encode(texts[0]);
        long[] after = Arrays.stream(llava.tokenizer().encode(texts[1])).skip(1).toArray();
        parts.push_back(llava.language().embed(Tensors.of(before, 1, before.length)));
        parts.push_back(features);
        parts.push_back(llava.language().embed(Tensors.of(after, 1, after.length)));
        Tensor hidden = llava.language().forward(torch.cat(parts, 1), null);
        return llava.language().logits(hidden).select(1, hidden.size(1) - 1).squeeze(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"stage1", "stage2"})
    void batchesAreTheCollators(String stage) {
        try (PointerScope scope = new PointerScope();
                TrainableLlava model = load(TrainableLlava.FRESH, Learning.PROJECTOR);
                ConversationFile file = file(stage + ".json", template(stage))) {
            Labelling labelling = labelling(model, stage, LIMIT);
            JsonNode batches = CASE.json("case.json").path("batches").path(stage + ".json");
            for (int step = 0; step < batches.size(); step++) {
                String at = stage + ".step." + step + ".";
                List<LabelledText> texts = texts(file, labelling, batches.get(step));
                requireRows(texts.stream().map(LabelledText::ids).toList(), CASE.input(at + "input_ids"), 0);
                requireRows(texts.stream().map(LabelledText::labels).toList(), CASE.input(at + "labels"), -100);
            }
        }
    }

    @Test
    void sequencesAreMergedAndCutAsTheReferenceDoes() {
        try (PointerScope scope = new PointerScope();
                TrainableLlava model = load(TrainableLlava.FRESH, Learning.PROJECTOR);
                ConversationFile file = file("stage2.json", PromptTemplate.VICUNA_V1)) {
            JsonNode batch =
                    CASE.json("case.json").path("batches").path("stage2.json").get(0);
            requireMerged(
                    texts(file, labelling(model, "stage2", LIMIT), batch),
                    model.imageTokens(),
                    LIMIT,
                    "stage2.step.0.merged_");
            int limit = (int) Tensors.toLongs(CASE.expected("truncated.limit"))[0];
            List<LabelledText> cut = texts(file, labelling(model, "stage2", limit), batch).stream()
                    .map(text -> text.cut(limit))
                    .toList();
            requireRows(cut.stream().map(LabelledText::ids).toList(), CASE.expected("truncated.input_ids"), 0);
            requireRows(cut.stream().map(LabelledText::labels).toList(), CASE.expected("truncated.labels"), -100);
            requireMerged(cut, model.imageTokens(), limit, "truncated.merged_");
        }
    }

    private static void requireMerged(List<LabelledText> texts, int imageTokens, int limit, String expected) {
        List<Sequence> rows = texts.stream()
                .map(text -> Sequence.of(text, imageTokens, limit))
                .toList();
        requireRows(rows.stream().map(Sequence::labels).toList(), CASE.expected(expected + "labels"), -100);
        requireRows(
                rows.stream()
                        .map(row ->
                                LongStream.generate(() -> 1).limit(row.length()).toArray())
                        .toList(),
                CASE.expected(expected + "mask"),
                0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void oddConversationsAreLabelledAsTheReferenceDoes(boolean legacy) throws Exception {
        Path tokenizerFolder = Files.createDirectory(folder.resolve("tokenizer"));
        for (String name : List.of("tokenizer.model", "special_tokens_map.json")) {
            Files.copy(MODEL.file("released/" + name), tokenizerFolder.resolve(name));
        }
        ObjectNode config = (ObjectNode) MODEL.json("released/tokenizer_config.json");
        Files.writeString(
                tokenizerFolder.resolve("tokenizer_config.json"),
                config.deepCopy().put("legacy", legacy).toString());
        try (PointerScope scope = new PointerScope();
                LlamaTokenizer tokenizer = LlamaTokenizer.open(tokenizerFolder, LlamaTokenizer.Kind.SLOW);
                ConversationFile file = file("odd.json", PromptTemplate.VICUNA_V1)) {
            Labelling labelling = new Labelling(
                    PromptTemplate.VICUNA_V1,
                    text -> Prompt.inParts(text, tokenizer),
                    !tokenizer.restartsBehindSpecial(),
                    LIMIT);
            for (int i = 0; i < file.size(); i++) {
                LabelledText text = labelling.of(file.at(i));
                String expected = "odd.legacy=" + legacy + "." + i + ".";
                long[] labels = Tensors.toLongs(CASE.expected(expected + "labels"));
                assertThat(text.ids())
                        .as(expected)
                        .containsExactly(Tensors.toLongs(CASE.expected(expected + "input_ids")));
                assertThat(text.labels()).as(expected).containsExactly(labels);
                assertThat(text.isMismatched()).isEqualTo(Arrays.stream(labels).allMatch(label -> label == -100));
            }
        }
    }

    @Test
    void samplesAreGroupedAsTheReferenceDoes() {
        int[] lengths = Arrays.stream(Tensors.toLongs(CASE.expected("sampler.lengths")))
                .mapToInt(length -> (int) length)
                .toArray();
        int[] withImage = Arrays.stream(lengths).map(Math::abs).toArray();
        List<String> runs = Golden.endings(CASE.expected(), "sampler.seed");
        assertThat(runs).isNotEmpty();
        for (String run : runs) { // 0.batch2.world3.all_with_image
            String[] parts = run.split("\\.", -1);
            Generator generator = torch.make_generator_cpu(Long.parseLong(parts[0]));
            GroupedOrder order = new GroupedOrder(
                    run.endsWith("all_with_image") ? withImage : lengths,
                    Integer.parseInt(parts[1].substring("batch".length())),
                    Integer.parseInt(parts[2].substring("world".length())),
                    0);
            assertThat(order.order(generator).stream().map(Integer::longValue).toList())
                    .as(run)
                    .containsExactly(Arrays.stream(Tensors.toLongs(CASE.expected("sampler.seed" + run)))
                            .boxed()
                            .toArray(Long[]::new));
        }
    }

    private static void follow(String stage, TrainableLlava model, List<ParameterGroup> groups) {
        double tolerance = CASE.tolerance();
        TrainSettings settings = new TrainSettings(groups, 1, Double.NaN, 1, false);
        JsonNode batches = CASE.json("case.json").path("batches").path(stage + ".json");
        AnswerObjective objective = new AnswerObjective(model, null, false);
        try (ConversationFile file = file(stage + ".json", template(stage));
                AdamW optimizer = new AdamW(0.9, 0.999, 1e-8, 0)) {
            for (int step = 0; step < batches.size(); step++) {
                try (PointerScope scope = new PointerScope()) {
                    String at = stage + ".step." + step + ".";
                    ConversationBatch batch = batch(stage, model, file, batches.get(step));
                    requirePixels(batch, stage, at);
                    double loss = objective.backward(
                                    batch,
                                    new RandomStreams(0),
                                    Contribution.of(batch.rows().size(), 1))
                            .values()[0];
                    assertThat(loss).isCloseTo(CASE.expected(at + "loss").item_float(), within(tolerance));
                    model.parameters().forEach((name, parameter) -> requireGradient(parameter, at + "grad." + name));
                    requireRates(settings, model, step, CASE.expected(at + "lr"));
                    int now = step;
                    optimizer.update(model.parameters(), name -> settings.rate(name, now), 1);
                    model.parameters().forEach((name, parameter) -> {
                        Close.assertClose(parameter, CASE.expected(at + "weight." + name), 0, tolerance);
                        parameter.mutable_grad().reset();
                    });
                }
            }
        }
    }

    private static org.assertj.core.data.Offset<Double> within(double tolerance) {
        return org.assertj.core.data.Offset.offset(tolerance);
    }

    private static void requirePixels(ConversationBatch batch, String stage, String at) {
        List<Tensor> withImage = new ArrayList<>();
        long[] indices = Tensors.toLongs(CASE.input(at + "image_index"));
        for (int row = 0; row < indices.length; row++) {
            if (batch.rows().get(row).imageTokens() > 0) {
                withImage.add(CASE.input(stage + ".pixel_values").select(0, indices[row]));
            }
        }
        if (withImage.isEmpty()) {
            assertThat(batch.pixels()).isNull();
        } else {
            Close.assertClose(batch.pixels(), torch.stack(new TensorVector(withImage.toArray(Tensor[]::new))), 0, 1e-6);
        }
    }

    private static void requireGradient(Tensor parameter, String expected) {
        Tensor gradient = CASE.expected(expected);
        double largest = gradient.abs().max().item_float();
        Close.assertClose(parameter.grad(), gradient, 0, Math.max(1e-6, 1e-3 * largest));
    }

    /** The groups in the order of the reference: what is no projector first, each twice for weights and biases. */
    private static void requireRates(TrainSettings settings, TrainableLlava model, int step, Tensor expected) {
        float[] rates = Tensors.toFloats(expected);
        List<Double> ours = model.parameters().keySet().stream()
                .map(name -> settings.rate(name, step))
                .distinct()
                .toList();
        for (float rate : rates) {
            assertThat(ours).anySatisfy(own -> assertThat(own).isCloseTo((double) rate, within(1e-6 * Math.abs(rate))));
        }
    }

    private static ConversationBatch batch(
            String stage, TrainableLlava model, ConversationFile file, JsonNode indices) {
        Sharding all = Sharding.of(ProcessGroup.single(), 1, indices.size());
        ConversationBatches.Pixels pixels = new ConversationBatches.Pixels(
                stage.equals("stage1") ? ImageAspect.CROP : ImageAspect.PAD,
                model.tower().preprocessing(),
                model.tower().tower().config().imageSize());
        return new ConversationBatches(
                        file,
                        position -> indices.get((int) position).asInt(),
                        labelling(model, stage, LIMIT),
                        model.imageTokens(),
                        pixels,
                        all,
                        (name, reason, unreadable) -> {
                            throw new AssertionError(name + " " + reason);
                        })
                .at(0);
    }

    private static List<LabelledText> texts(ConversationFile file, Labelling labelling, JsonNode indices) {
        List<LabelledText> texts = new ArrayList<>();
        indices.forEach(index -> texts.add(labelling.of(file.at(index.asInt()))));
        return texts;
    }

    private static void requireRows(List<long[]> rows, Tensor expected, long padding) {
        assertThat(expected.size(0)).isEqualTo(rows.size());
        for (int i = 0; i < rows.size(); i++) {
            long[] padded = Arrays.copyOf(rows.get(i), (int) expected.size(1));
            Arrays.fill(padded, rows.get(i).length, padded.length, padding);
            assertThat(padded)
                    .containsExactly(Tensors.toLongs(expected.select(0, i).to(torch.ScalarType.Long)));
        }
    }

    private static Labelling labelling(TrainableLlava model, String stage, int limit) {
        return new Labelling(template(stage), model::tokenized, !model.roundsRestart(), limit);
    }

    private static PromptTemplate template(String stage) {
        return stage.equals("stage1") ? PromptTemplate.PLAIN : PromptTemplate.VICUNA_V1;
    }

    private static ConversationFile file(String name, PromptTemplate template) {
        return ConversationFile.open(CASE.file(name), IMAGES, template);
    }

    private static Schedule schedule(double rate) {
        long steps = (long) CASE.told("schedule", "over (\\d+) steps");
        return new Schedule(Schedule.Kind.COSINE, rate, (long) CASE.told("schedule", "= (\\d+) step"), steps);
    }

    private static TrainableLlava load(String projector, Learning learning) {
        TrainableLlava.Start start = new TrainableLlava.Start(
                MODEL.file("released"), null, MODEL.file("clip").toString(), null, projector, 0);
        return TrainableLlava.load(start, Golden.placement(), learning);
    }

    private static void set(TrainableLlava model, String prefix) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            for (String name : Golden.endings(CASE.inputs(), prefix)) {
                model.parameters().get(name).copy_(CASE.input(prefix + name));
            }
        }
    }

    private static void requireSameFile(Path made, Path expected) {
        try (PointerScope scope = new PointerScope();
                TensorSource mine = TensorFile.open(made);
                TensorSource theirs = TensorFile.open(expected)) {
            assertThat(mine.tensors().stream().map(TensorInfo::name))
                    .containsExactlyInAnyOrderElementsOf(
                            theirs.tensors().stream().map(TensorInfo::name).toList());
            for (TensorInfo info : theirs.tensors()) {
                Close.assertClose(
                        mine.read(info.name()).to(torch.ScalarType.Float),
                        theirs.read(info.name()).to(torch.ScalarType.Float),
                        0,
                        CASE.tolerance());
            }
        }
    }
}
