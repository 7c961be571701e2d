package dev.diva.segment.train;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.eval.segmentation.Layout;
import dev.diva.segment.SanSettings;
import dev.diva.train.RecipeKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a recipe of a SAN, its settings and an own set refuse: by file, key, value and what was expected. */
class SanRecipeTest {
    private static final String SET = "name: own, images: i, labels: l, ignored: 255";

    @TempDir
    private Path temporary;

    private static SanRecipe recipe(String assignment) {
        return SanRecipe.published()
                .with(RecipeKeys.assignment(assignment), "test")
                .as(SanRecipe.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "san.clipResolution=0 | san.clipResolution is 0.0, expected a number above 0 and at most 4",
                "san.clipResolution=9 | san.clipResolution is 9.0, expected a number above 0 and at most 4",
                "san.sideHeads=0 | san.sideHeads is 0, expected at least 1",
                "san.recognitionLayer=-1 | san.recognitionLayer is -1, expected at least 0",
                "san.fusion=3 | san.fusion is 3, expected keys and values, as {1: 2}",
                "points=2000000000 | points is 2000000000, expected 1 to 1000000",
                "crop=16384 | crop is 16384, expected 1 to 8192",
                "shortEdges=[200000] | shortEdges is [200000], expected a list of whole numbers, 1 to 8192",
                "shortEdges=[] | shortEdges is [], expected a list of whole numbers, 1 to 8192",
                "longEdge=2000000 | longEdge is 2000000, expected 1 to 65536",
                "shortEdge=0 | shortEdge is 0, expected 1 to 8192",
            })
    void recipesRefuseWhatIsOutOfRange(String assignment, String line) {
        assertThatThrownBy(() -> recipe(assignment))
                .isInstanceOf(BadInputException.class)
                .hasMessage("recipe: " + line);
    }

    @ParameterizedTest
    @ValueSource(strings = {"crop=8192", "points=1000000", "longEdge=65536", "san.fusion={0: 0, 3: 1}"})
    void recipesTakeTheLimits(String assignment) {
        assertThatCode(() -> recipe(assignment)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{clipResolution: 0.7} | sideHeads is missing, expected a whole number",
                "{clipResolution: x} | clipResolution is \"x\", expected a number",
                "{clipResolution: 9, sideHeads: 1, fusion: {0: 0}, recognitionLayer: 1} | clipResolution is 9.0, expected",
                "{clipResolution: 1, sideHeads: 1, recognitionLayer: 1} | fusion is missing, expected a map",
                "{fusio: 1} | unknown key fusio; nearest: fusion; keys: clipResolution, sideHeads",
                "[1] | expected keys and values",
            })
    void settingsNameTheKey(String text, String line) throws IOException {
        Path file = Files.writeString(temporary.resolve("san.yaml"), text);
        assertThatThrownBy(() -> SanSettings.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(file + ": " + line);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'a, b' | classes is \"a, b\", expected a list",
                "[a], label: l | unknown key label; nearest: labels; keys: name, images, labels, ignored, classes",
            })
    void anOwnSetNamesTheKey(String classes, String line) throws IOException {
        Path file = Files.writeString(
                temporary.resolve("set.yaml"), "{" + SET + ", classes: " + classes.replace("a, b", "\"a, b\"") + "}");
        assertThatThrownBy(() -> Layout.named(file.toString()))
                .isInstanceOf(BadInputException.class)
                .hasMessage(file + ": " + line);
    }
}
