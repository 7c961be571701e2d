package dev.diva.eval.mllm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Answers are kept one by one, resumed, ordered, and bad files are refused without being touched. */
@Tag("golden")
class AnsweringTest {
    @TempDir
    private Path folder;

    private QuestionSet set;
    private Path file;

    @BeforeEach
    void readQuestions() {
        set = Benchmark.POPE.read(Golden.path("mllm-scores"), Prompts.LLAVA);
        file = folder.resolve("answers.jsonl");
    }

    /** Echoes the question; stops after so many answers. */
    private static final class Fake implements Answerer {
        private final int limit;
        private final List<String> asked = new ArrayList<>();
        private final List<Picture> pictures = new ArrayList<>();

        Fake(int limit) {
            this.limit = limit;
        }

        @Override
        public String name() {
            return "fake";
        }

        @Override
        public void answer(Picture picture, List<Item> items, BiConsumer<Item, String> answered) {
            pictures.add(picture);
            for (Item item : items) {
                if (asked.size() == limit) {
                    throw new IllegalStateException("killed");
                }
                asked.add(item.id().asText());
                answered.accept(item, "é " + item.question());
            }
        }
    }

    private List<String> run(Fake fake) {
        return new Answering(set, file).run(fake, done -> {});
    }

    @Test
    void asksEachImageOnceAndWritesInTheOrderOfTheQuestions() throws IOException {
        Fake fake = new Fake(Integer.MAX_VALUE);
        List<String> texts = run(fake);
        assertThat(fake.pictures).doesNotHaveDuplicates();
        assertThat(Answers.read(set, file).texts()).isEqualTo(texts);
        List<String> ids = JsonLines.read(file).stream()
                .map(line -> line.id("question_id").asText())
                .toList();
        assertThat(ids)
                .isEqualTo(set.items().stream().map(item -> item.id().asText()).toList());
        assertThat(Files.readString(file)).doesNotContain("é").contains("\\u00E9");
        assertThat(JsonLines.read(file).get(0).node().properties().stream().map(java.util.Map.Entry::getKey))
                .containsExactly("question_id", "prompt", "text", "answer_id", "model_id", "metadata");
    }

    @Test
    void aKilledRunAndACutLineAreContinuedToTheSameBytes() throws IOException {
        run(new Fake(Integer.MAX_VALUE));
        byte[] whole = Files.readAllBytes(file);
        Files.delete(file);
        Fake first = new Fake(7);
        assertThatThrownBy(() -> run(first)).isInstanceOf(IllegalStateException.class);
        byte[] kept = Files.readAllBytes(file);
        Files.write(file, java.util.Arrays.copyOf(kept, kept.length - 9)); // the seventh line loses its end
        Fake second = new Fake(Integer.MAX_VALUE);
        run(second);
        assertThat(second.asked).hasSize(set.items().size() - 6).contains(first.asked.get(6));
        assertThat(Files.readAllBytes(file)).isEqualTo(whole);
    }

    @Test
    void filesThatDoNotFitAreRefusedAndLeftAsTheyAre() throws IOException {
        assertThatThrownBy(() -> run(new Fake(3))).isInstanceOf(IllegalStateException.class);
        List<String> lines = Files.readAllLines(file);
        refused(List.of(lines.get(0), lines.get(1).substring(0, 30), lines.get(2)), "line 2: no whole JSON object");
        refused(List.of(lines.get(0), lines.get(0)), "line 2: question_id");
        refused(List.of(lines.get(0).replace("\"question_id\":", "\"question_id\":99")), "not among those");
        refused(List.of(lines.get(0).replace("\"fake\"", "\"other\"")), "an answer of other, not of fake");
        refused(List.of(lines.get(0).replace("\\nAnswer", "\\nReply")), "answered to another prompt");
    }

    private void refused(List<String> lines, String message) throws IOException {
        Files.write(file, lines);
        byte[] before = Files.readAllBytes(file);
        assertThatThrownBy(() -> run(new Fake(Integer.MAX_VALUE)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(message);
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
    }

    @Test
    void recordedAnswersToOtherQuestionsAndIncompleteOnesAreRefused() throws IOException {
        Path recorded = Golden.path("mllm-scores").resolve("pope/answers/tiny.jsonl");
        List<String> lines = new ArrayList<>(Files.readAllLines(recorded));
        Files.write(file, lines.subList(0, lines.size() - 2));
        assertThatThrownBy(() -> Answers.read(set, file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("2 of " + lines.size() + " questions of pope have no answer");
        lines.set(1, lines.get(1).replace("Is there a", "Is there no"));
        Files.write(file, lines);
        assertThatThrownBy(() -> Answers.read(set, file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("line 2: answers");
    }

    @Test
    void missingImagesAreToldBeforeAnythingIsAsked() throws IOException {
        Path source = Golden.path("mllm-scores").resolve("pope");
        Path copy = Files.createDirectories(folder.resolve("pope"));
        Files.createDirectories(copy.resolve("coco"));
        for (String name : List.of("random", "popular", "adversarial")) {
            String label = "coco/coco_pope_" + name + ".json";
            Files.copy(source.resolve(label), copy.resolve(label));
        }
        QuestionSet bare = Benchmark.POPE.read(folder, Prompts.LLAVA);
        assertThat(bare.items().stream().map(item -> item.id().asText() + item.asked()))
                .isEqualTo(set.items().stream()
                        .map(item -> item.id().asText() + item.asked())
                        .toList());
        Fake fake = new Fake(Integer.MAX_VALUE);
        assertThatThrownBy(() -> new Answering(bare, file).run(fake, done -> {}))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("missing image");
        assertThat(fake.asked).isEmpty();
        assertThat(file).doesNotExist();
    }
}
