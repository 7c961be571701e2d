package dev.diva.demo;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.KeyFile;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.posttrain.recipe.RecipeTree;
import dev.diva.train.RecipeKeys;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The recipes of the mini world: a preset, what the world asks for over it ({@code demo.yaml} over {@code anchored}, {@code methods.yaml}
 * over the others), and where models and images were put.
 */
final class DemoRecipe {
    private DemoRecipe() {}

    /**
     * Writes the file to the folder and reads it, so that a user can change a copy and train by hand.
     *
     * @param places folder of models and images
     * @param more {@code key=value} over the variant, as {@code diva train --set} takes them
     */
    static RecipeTree tree(Places places, Variant variant, String... more) {
        boolean anchored = variant.preset().equals("anchored");
        String name = anchored ? "demo.yaml" : "methods.yaml";
        Path file = places.root().resolve(name);
        if (!Files.exists(file)) {
            AtomicFile.writeString(file, resource(name));
        }
        if (!text(file).equals(resource(name))) {
            throw new BadInputException(file + ": was changed; give the copy another name and train with that");
        }
        List<ObjectNode> changes = Stream.concat(variant.changes().stream(), Stream.of(more))
                .map(RecipeKeys::assignment)
                .toList();
        RecipeTree tree = RecipeTree.under(variant.preset(), changes)
                .with(KeyFile.read(file), file.toString())
                .with(paths(places, anchored), "demo");
        for (ObjectNode change : changes) {
            tree = tree.with(change, variant.name());
        }
        return tree;
    }

    private static ObjectNode paths(Places places, boolean anchored) {
        ObjectNode paths = JsonNodeFactory.instance.objectNode();
        paths.put("clip", places.clip().toAbsolutePath().toString());
        paths.put("diffusion", places.diffusion().toAbsolutePath().toString());
        paths.put("cache", places.cache().toAbsolutePath().toString());
        paths.putObject("guard")
                .put("texts", places.guardTexts().toAbsolutePath().toString());
        paths.putArray("images").add(places.images().toAbsolutePath() + "/*.tar");
        if (anchored) {
            paths.putObject("projection")
                    .put("init", places.anchor().toAbsolutePath().toString());
        }
        return paths;
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e, e);
        }
    }

    private static String resource(String name) {
        try (InputStream stream = DemoRecipe.class.getResourceAsStream(name)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new BadInputException(name + ": cannot be read from the program: " + e, e);
        }
    }
}
