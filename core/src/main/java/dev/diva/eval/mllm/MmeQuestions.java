package dev.diva.eval.mllm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.diva.BadInputException;
import dev.diva.PythonStrings;
import dev.diva.TextFile;
import dev.diva.eval.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * MME: {@code MME_Benchmark_release_version/CATEGORY/} with images and a {@code NAME.txt} of two lines {@code question TAB Yes|No} an
 * image, in five categories below {@code images} and {@code questions_answers_YN}; LLaVA's questions in {@code llava_mme.jsonl}, whose
 * order pairs the questions. Without the texts the labels are taken from the tool's {@code eval_tool/Your_Results/CATEGORY.txt}.
 */
public final class MmeQuestions implements QuestionSet {
    private static final List<String> EXTENSIONS = List.of(".jpg", ".png", ".jpeg");

    /** A question with its category, the name in score files, and the label. */
    record Labelled(Item item, String category, String name, String question, String label) {}

    private record Key(String category, String name, String question) {}

    private final Path folder;
    private final List<Labelled> questions;

    private MmeQuestions(Path folder, List<Labelled> questions) {
        this.folder = folder;
        this.questions = List.copyOf(questions);
    }

    static MmeQuestions read(Path folder, Prompts prompts) {
        Path release = Stream.of(folder.resolve("MME_Benchmark_release_version"), folder)
                .filter(Files::isDirectory)
                .findFirst()
                .orElseThrow();
        Map<Key, String> labels = labels(folder, release);
        Path file = folder.resolve("llava_mme.jsonl");
        List<Labelled> questions = new ArrayList<>();
        if (Files.exists(file)) {
            for (JsonLines.Line line : JsonLines.read(file)) {
                JsonNode id = line.id("question_id");
                Key key = key(line, labels, line.text("text"));
                Picture picture = Picture.inside(release, line.text("image"), line.place());
                questions.add(labelled(id, picture, key, labels.get(key), prompts));
            }
        } else {
            labels.forEach((key, label) -> {
                Picture picture = image(release, key);
                TextNode id = TextNode.valueOf(
                        release.relativize(picture.file()).toString().replace('\\', '/'));
                questions.add(labelled(id, picture, key, label, prompts));
            });
        }
        return new MmeQuestions(folder, questions);
    }

    /** LLaVA's converter: its suffix away, the benchmark's own suffix on, with one blank or two. */
    private static Key key(JsonLines.Line line, Map<Key, String> labels, String text) {
        String image = line.id("question_id").asText();
        String question = PythonStrings.strip(text.replace(Prompts.SHORT.strip(), ""));
        if (!question.contains(Prompts.YES_NO.strip())) {
            question += Prompts.YES_NO;
        }
        Key key = new Key(category(image), name(image), question);
        Key twoBlanks = new Key(key.category, key.name, question.replace(Prompts.YES_NO, " " + Prompts.YES_NO));
        Key found = labels.containsKey(key) ? key : twoBlanks;
        if (!labels.containsKey(found)) {
            throw new BadInputException(
                    line.place() + ": no label for \"" + question + "\" in " + key.category + "/" + key.name);
        }
        return found;
    }

    static String category(String image) {
        return image.substring(0, Math.max(0, image.indexOf('/')));
    }

    /** The name in score files: up to the first period, as LLaVA's converter cuts it. */
    static String name(String image) {
        String file = image.substring(image.lastIndexOf('/') + 1);
        int period = file.indexOf('.');
        return (period < 0 ? file : file.substring(0, period)) + ".txt";
    }

    private static Labelled labelled(JsonNode id, Picture picture, Key key, String label, Prompts prompts) {
        String bare = PythonStrings.strip(key.question.replace(Prompts.YES_NO.strip(), ""));
        String asked = switch (prompts) {
            case LLAVA -> bare + Prompts.SHORT;
            case LMMS_EVAL -> PythonStrings.strip(key.question).replace(Prompts.YES_NO, "") + Prompts.SHORT;
            case VLMEVALKIT -> key.question;
        };
        Item item = new Item(
                id,
                picture,
                bare,
                asked,
                asked,
                prompts.maxNewTokens(Benchmark.MME),
                JsonLines.JSON.createObjectNode());
        return new Labelled(item, key.category, key.name, key.question, label);
    }

    private static Picture image(Path release, Key key) {
        String stem = key.name.substring(0, key.name.length() - ".txt".length());
        Path category = release.resolve(key.category);
        Path folder = Files.isDirectory(category.resolve("images")) ? category.resolve("images") : category;
        return Picture.of(EXTENSIONS.stream()
                .map(extension -> folder.resolve(stem + extension))
                .filter(Files::isRegularFile)
                .findFirst()
                .orElse(folder.resolve(stem + ".jpg")));
    }

    private static Map<Key, String> labels(Path folder, Path release) {
        Map<Key, String> labels = new LinkedHashMap<>();
        List<String> categories = Stream.concat(MmeScore.PERCEPTION.stream(), MmeScore.COGNITION.stream())
                .toList();
        for (String category : categories) {
            Path texts = release.resolve(category);
            if (Files.isDirectory(texts.resolve("questions_answers_YN"))) {
                texts = texts.resolve("questions_answers_YN");
            }
            for (Path file : textFiles(texts)) {
                addLabels(labels, category, file);
            }
            Path results = folder.resolve("eval_tool/Your_Results").resolve(category + ".txt");
            if (textFiles(texts).isEmpty() && Files.exists(results)) {
                addResults(labels, category, results);
            }
        }
        if (labels.isEmpty()) {
            throw new BadInputException(release + ": no CATEGORY/NAME.txt with questions and labels of MME");
        }
        return labels;
    }

    private static void addLabels(Map<Key, String> labels, String category, Path file) {
        List<String> lines = TextFile.read(file).stripTrailing().lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            String[] cells = lines.get(i).split("\t", -1);
            if (cells.length != 2) {
                throw new BadInputException(file + " line " + (i + 1) + ": expected question TAB Yes or No, found "
                        + cells.length + " columns");
            }
            labels.put(new Key(category, file.getFileName().toString(), cells[0]), label(cells[1], file, i + 1));
        }
    }

    private static void addResults(Map<Key, String> labels, String category, Path file) {
        List<String> lines = TextFile.read(file).stripTrailing().lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            String[] cells = lines.get(i).split("\t", -1);
            if (cells.length < 3) {
                throw new BadInputException(file + " line " + (i + 1) + ": expected name TAB question TAB Yes or No");
            }
            labels.put(new Key(category, name(cells[0]), cells[1]), label(cells[2], file, i + 1));
        }
    }

    static String label(String written, Path file, int line) {
        String label = written.strip().toLowerCase(Locale.ROOT);
        if (!label.equals("yes") && !label.equals("no")) {
            throw new BadInputException(file + " line " + line + ": label \"" + written + "\", expected Yes or No");
        }
        return label;
    }

    private static List<Path> textFiles(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".txt"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    @Override
    public Benchmark benchmark() {
        return Benchmark.MME;
    }

    @Override
    public Path place() {
        return folder;
    }

    @Override
    public List<Item> items() {
        return questions.stream().map(Labelled::item).toList();
    }

    List<Labelled> questions() {
        return questions;
    }

    @Override
    public Result score(String model, List<String> texts, Rules rules, List<Path> judge) {
        List<MmeScore.Answer> answers = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            Labelled asked = questions.get(i);
            String image = asked.item.id().asText();
            answers.add(new MmeScore.Answer(asked.category, image, asked.label, texts.get(i), folder + " " + image));
        }
        return new MmeScore(answers, rules).result(model, folder.toString());
    }
}
