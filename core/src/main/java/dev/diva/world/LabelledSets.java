package dev.diva.world;

import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.Background;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Kind;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.ScenePair;
import dev.diva.world.scene.ScenePairs;
import dev.diva.world.scene.SceneSampler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** The sets that models are measured on: pairs, retrieval, probe. */
final class LabelledSets {
    /** How many gists there are: a background and one kind or two. */
    static final int GISTS = Background.values().length * Kind.values().length * (Kind.values().length + 1) / 2;

    private static final CSVFormat CSV =
            CSVFormat.DEFAULT.builder().setRecordSeparator("\n").get();

    private final SceneRenderer renderer;

    LabelledSets(SceneRenderer renderer) {
        this.renderer = renderer;
    }

    /** A folder in the format of MMVP-VLM: Questions.csv, and the images of each pattern under their question's number. */
    void pairs(Path folder, SceneSampler sampler, int perPattern) throws IOException {
        List<ScenePair> pairs = new ScenePairs(sampler).pairs(perPattern);
        try (CSVPrinter questions = table(folder.resolve("Questions.csv"), "Question ID", "Type", "Statement")) {
            int id = 1;
            for (ScenePair pair : pairs) {
                String type = pair.pattern().title();
                Path images = Files.createDirectories(
                        folder.resolve("MLLM_VLM_Images").resolve(type));
                jpeg(images, id, pair.first());
                questions.printRecord(id++, type, pair.firstStatement());
                jpeg(images, id, pair.second());
                questions.printRecord(id++, type, pair.secondStatement());
            }
        }
    }

    /** Images and captions.csv (image, caption): each caption is the gist of one image only. */
    void retrieval(Path folder, SceneSampler sampler, int count) throws IOException {
        List<Scene> scenes = gists(sampler, count);
        Files.createDirectories(folder.resolve("images"));
        try (CSVPrinter captions = table(folder.resolve("captions.csv"), "image", "caption")) {
            Painted.each(
                    count,
                    scenes::get,
                    renderer,
                    (index, painted) ->
                            captions.printRecord(image(folder, index, painted), Captions.gist(painted.scene())));
        }
    }

    /** Images and labels.csv: one column a question, the value's phrase where the image has an answer. */
    void probe(Path folder, SceneSampler sampler, int count) throws IOException {
        List<ProbeQuestion> questions = ProbeQuestion.all();
        List<String> header = new ArrayList<>(List.of("image", "gist", "caption"));
        questions.forEach(question -> header.add(question.column()));
        Files.createDirectories(folder.resolve("images"));
        try (CSVPrinter labels = table(folder.resolve("labels.csv"), header.toArray(String[]::new))) {
            Painted.each(count, sampler::scene, renderer, (index, painted) -> {
                Scene scene = painted.scene();
                List<String> row = new ArrayList<>(
                        List.of(image(folder, index, painted), Captions.gist(scene), Captions.full(scene)));
                for (ProbeQuestion question : questions) {
                    int answer = question.answer(scene).orElse(-1);
                    row.add(answer < 0 ? "" : question.attribute().phrases().get(answer));
                }
                labels.printRecord(row);
            });
        }
    }

    private static List<Scene> gists(SceneSampler sampler, int count) {
        Set<String> seen = new HashSet<>();
        List<Scene> scenes = new ArrayList<>();
        for (int index = 0; scenes.size() < count; index++) {
            Scene scene = sampler.scene(index);
            if (seen.add(Captions.gist(scene))) {
                scenes.add(scene);
            }
        }
        return scenes;
    }

    private void jpeg(Path folder, int id, Scene scene) throws IOException {
        Files.write(folder.resolve(id + ".jpg"), ImageFormats.jpeg(renderer.render(scene)));
    }

    private static String image(Path folder, int index, Painted painted) throws IOException {
        String name = String.format(Locale.ROOT, "images/%06d.png", index);
        Files.write(folder.resolve(name), painted.png());
        return name;
    }

    private static CSVPrinter table(Path file, String... header) throws IOException {
        CSVPrinter printer = CSV.print(file, StandardCharsets.UTF_8);
        printer.printRecord((Object[]) header);
        return printer;
    }
}
