package dev.diva.world;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Facet;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.ScenePair;
import dev.diva.world.scene.ScenePairs;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/**
 * What a multimodal model of a world learns from and is asked:
 *
 * <pre>
 * images/             NAME.png
 * captions.json       LLaVA's data of stage 1: full captions
 * questions.json      of stage 2: questions on fine attributes
 * mmvp/               Questions.csv, "MMVP Images": pairs that differ in one fine attribute
 * </pre>
 */
public final class ConversationSets {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int QUESTIONS = 3; // of an image

    private final WorldRecipe recipe;
    private final SceneRenderer renderer;

    public ConversationSets(WorldRecipe recipe) {
        this.recipe = recipe;
        this.renderer = new SceneRenderer(recipe.side());
    }

    /**
     * Writes everything; the folder appears complete or not at all.
     *
     * @param images to learn from
     * @param pairs of each visual pattern
     * @throws BadInputException when it cannot be written
     */
    public void write(Path folder, int images, int pairs) {
        AtomicFolder.write(folder, temporary -> {
            conversations(temporary, images);
            mmvp(Files.createDirectories(temporary.resolve("mmvp")), pairs);
        });
    }

    private void conversations(Path folder, int count) throws IOException {
        SceneSampler sampler = new SceneSampler(recipe.seed(), Split.PRETRAIN);
        ArrayNode captions = JSON.createArrayNode();
        ArrayNode questions = JSON.createArrayNode();
        Files.createDirectories(folder.resolve("images"));
        Painted.each(count, sampler::scene, renderer, (index, painted) -> {
            String name = String.format(Locale.ROOT, "%06d", index);
            Files.write(folder.resolve("images").resolve(name + ".png"), painted.png());
            Scene scene = painted.scene();
            ArrayNode turns = sample(captions, name);
            turn(turns, "human", "<image>\n" + SceneQuestion.CAPTION);
            turn(turns, "gpt", Captions.full(scene));
            ArrayNode asked = sample(questions, name);
            List<SceneQuestion> all = questions(scene, sampler.stream("conversation", index));
            for (int i = 0; i < all.size(); i++) {
                turn(asked, "human", (i == 0 ? "<image>\n" : "") + all.get(i).asked());
                turn(asked, "gpt", all.get(i).answer());
            }
        });
        Files.write(folder.resolve("captions.json"), JSON.writeValueAsBytes(captions));
        Files.write(folder.resolve("questions.json"), JSON.writeValueAsBytes(questions));
    }

    /** Some questions on a scene. */
    public static List<SceneQuestion> questions(Scene scene, RandomGenerator random) {
        List<Facet> facets = new java.util.ArrayList<>(scene.facets());
        java.util.Collections.shuffle(facets, new java.util.Random(random.nextLong()));
        return facets.stream()
                .limit(QUESTIONS)
                .map(facet -> SceneQuestion.of(scene, facet, random))
                .toList();
    }

    private static ArrayNode sample(ArrayNode samples, String name) {
        ObjectNode sample = samples.addObject().put("id", name).put("image", name + ".png");
        return sample.putArray("conversations");
    }

    private static void turn(ArrayNode turns, String from, String value) {
        turns.addObject().put("from", from).put("value", value);
    }

    private void mmvp(Path folder, int perPattern) throws IOException {
        Path images = Files.createDirectories(folder.resolve("MMVP Images"));
        CSVFormat format = CSVFormat.DEFAULT.builder().setRecordSeparator("\n").get();
        try (CSVPrinter table = format.print(folder.resolve("Questions.csv"), StandardCharsets.UTF_8)) {
            table.printRecord("Index", "Question", "Options", "Correct Answer", "Pattern");
            int row = 1;
            for (ScenePair pair : new ScenePairs(new SceneSampler(recipe.seed(), Split.TEST)).pairs(perPattern)) {
                row(table, images, row++, pair, pair.first(), pair.second());
                row(table, images, row++, pair, pair.second(), pair.first());
            }
        }
    }

    private void row(CSVPrinter table, Path images, int row, ScenePair pair, Scene scene, Scene other)
            throws IOException {
        SceneQuestion question = SceneQuestion.of(scene, pair.differs(), other.value(pair.differs()));
        Files.write(images.resolve(row + ".png"), ImageFormats.png(renderer.render(scene)));
        table.printRecord(
                row,
                question.question(),
                question.options(),
                "(" + question.answer() + ")",
                pair.pattern().title());
    }
}
