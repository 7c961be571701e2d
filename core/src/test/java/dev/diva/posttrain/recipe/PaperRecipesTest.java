package dev.diva.posttrain.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.KeyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The files in {@code recipes/}. */
class PaperRecipesTest {
    private static final Path FOLDER = Path.of("..", "recipes");

    private static Recipe read(Path file) {
        ObjectNode keys = KeyFile.read(file);
        return RecipeTree.under(null, List.of(keys)).with(keys, file.toString()).recipe();
    }

    @Test
    void eachTowerOfThePaperHasItsRunWithItsRecapInTheTable() throws IOException {
        String table = Files.readString(Path.of("src/main/resources/dev/diva/clip/backbones.yaml"));
        List<Path> towers;
        try (Stream<Path> files = Files.list(FOLDER)) {
            towers = files.filter(file -> !file.endsWith("smoke.yaml")).toList();
        }
        assertThat(towers).hasSize(8);
        for (Path file : towers) {
            Recipe recipe = read(file);
            assertThat(recipe.train().batch() * recipe.train().accumulate()).isEqualTo(640);
            assertThat(recipe.train().steps()).isEqualTo(4600);
            String id = file.getFileName().toString().replace(".yaml", "");
            String row = table.split("- id: " + id + "\n", 2)[1].split("\n- ", 2)[0];
            String recap = row.lines()
                    .map(String::trim)
                    .filter(line -> line.startsWith("recap: "))
                    .findFirst()
                    .orElseThrow();
            assertThat(Files.readString(file)).as(id).contains("\n" + recap);
        }
    }

    @Test
    void theSmokeRecipeTakesTenSteps() {
        assertThat(read(FOLDER.resolve("smoke.yaml")).train().steps()).isEqualTo(10);
    }
}
