package dev.diva.demo;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.train.RecipeKeys;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The recipe of the demo: the preset {@code anchored}, {@code demo.yaml} over it, and where models and images were put. */
final class DemoRecipe {
    private static final String FILE = "demo.yaml";

    private DemoRecipe() {}

    /**
     * Writes {@code demo.yaml} to the folder and reads it, so that a user can change a copy and train by hand.
     *
     * @param places folder of models and images
     * @param changes {@code key=value} over it, as {@code diva train --set} takes them
     */
    static RecipeTree tree(Places places, List<String> changes) {
        Path file = places.root().resolve(FILE);
        if (!Files.exists(file)) {
            AtomicFile.writeString(file, resource());
        }
        if (!text(file).equals(resource())) {
            throw new BadInputException(file + ": was changed; give the copy another name and train with that");
        }
        RecipeTree tree = RecipeTree.preset("anchored").with(RecipeKeys.read(file), file.toString());
        ObjectNode paths = tree.root().objectNode();
        paths.put("clip", places.clip().toAbsolutePath().toString());
        paths.put("diffusion", places.diffusion().toAbsolutePath().toString());
        paths.put("cache", places.cache().toAbsolutePath().toString());
        paths.putObject("projection")
                .put("init", places.anchor().toAbsolutePath().toString());
        paths.putObject("guard")
                .put("texts", places.guardTexts().toAbsolutePath().toString());
        ArrayNode images = paths.putArray("images");
        images.add(places.images().toAbsolutePath() + "/*.tar");
        tree = tree.with(paths, "demo");
        for (String change : changes) {
            tree = tree.with(RecipeKeys.assignment(change), change);
        }
        return tree;
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e, e);
        }
    }

    private static String resource() {
        try (InputStream stream = DemoRecipe.class.getResourceAsStream(FILE)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new BadInputException(FILE + ": cannot be read from the program: " + e, e);
        }
    }
}
