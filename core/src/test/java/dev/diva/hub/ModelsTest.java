package dev.diva.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelsTest {
    private static final String COMMIT = HubServer.COMMIT;

    @TempDir
    private Path folder;

    private Path cached(String id, String revision) throws IOException {
        Path model = folder.resolve("models--" + id.replace("/", "--"));
        Path ref = model.resolve("refs").resolve(revision);
        Files.createDirectories(ref.getParent());
        Files.writeString(ref, COMMIT);
        return Files.createDirectories(model.resolve("snapshots").resolve(COMMIT));
    }

    private Path resolve(String given) {
        return Models.resolve(given, Map.of("HF_HUB_CACHE", folder.toString()));
    }

    @Test
    void namesAreFoundAtTheirRevision() throws IOException {
        Path main = cached("org/model.v1-L_14", "main");
        assertThat(resolve("org/model.v1-L_14")).isEqualTo(main);
        assertThat(resolve("hf-hub:org/model.v1-L_14")).isEqualTo(main);
        assertThat(resolve("org/model.v1-L_14@" + COMMIT)).isEqualTo(main);
        Path branch = cached("org/model.v1-L_14", "refs/pr/3");
        assertThat(resolve("org/model.v1-L_14@refs/pr/3")).isEqualTo(branch);
        assertThatThrownBy(() -> resolve("org/model.v1-L_14@v2"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("org/model.v1-L_14@v2: no such file or folder, and no such model in the hub's cache "
                        + folder + "; bring it with: diva pull org/model.v1-L_14@v2");
    }

    /** Copied without its refs, as some tools leave a cache. */
    @Test
    void commitsThatNoReferenceNamesAreTold() throws IOException {
        Path model = cached("org/model", "main");
        Files.delete(folder.resolve("models--org--model/refs/main"));
        assertThatThrownBy(() -> resolve("org/model"))
                .isInstanceOf(BadInputException.class)
                .hasMessageEndingWith("bring it with: diva pull org/model, or name one of the commits that are there:"
                        + " org/model@" + COMMIT);
        assertThat(resolve("org/model@" + COMMIT)).isEqualTo(model);
    }

    @Test
    void aFolderOfThatNameComesFirst() throws IOException {
        cached("src/main", "main");
        assertThat(resolve("src/main")).isEqualTo(Path.of("src/main")); // of this project
    }

    @Test
    void anAddressIsNoModel() {
        assertThatThrownBy(() -> resolve("https://user:secret@host/model.safetensors?token=secret"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("https://host/model.safetensors: an address, expected a file or folder of this machine or a"
                        + " name on the hub (ORG/NAME); copy it first");
    }

    /** Else a tokenizer whose file is gone would be taken for the published one. */
    @Test
    void aLinkThatLeadsNowhereIsNamed() throws IOException {
        Path snapshot = cached("org/model", "main");
        Path part = Files.createDirectory(snapshot.resolve("unet"));
        Files.createSymbolicLink(snapshot.resolve("README.md"), Path.of("../../blobs/1"));
        assertThat(resolve("org/model")).isEqualTo(snapshot);
        Files.createSymbolicLink(part.resolve("config.json"), Path.of("../../../blobs/2"));
        assertThatThrownBy(() -> resolve("org/model"))
                .isInstanceOf(BadInputException.class)
                .hasMessage(part.toRealPath().resolve("config.json")
                        + ": a link to a file that is not there; bring it with: diva pull org/model@" + COMMIT
                        + ", or remove the link if the model does without");
        Path own = Files.createDirectory(folder.resolve("own"));
        Files.createSymbolicLink(own.resolve("vocab.json"), Path.of("nowhere"));
        assertThatThrownBy(() -> resolve(own.toString()))
                .isInstanceOf(BadInputException.class)
                .hasMessageEndingWith(
                        "own/vocab.json: a link to a file that is not there; remove the link if the model does"
                                + " without");
        Files.writeString(
                Files.createDirectory(snapshot.resolve("../../blobs").normalize())
                        .resolve("2"),
                "{}");
        assertThat(resolve("org/model")).isEqualTo(snapshot);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a/b", "./a", "../a/b", "a/../b", "a/b/c", "model", "a/b@/c", "a\\b", ""})
    void otherTextsArePaths(String text) {
        assertThat(resolve(text)).isEqualTo(Path.of(text));
    }

    @ParameterizedTest
    @CsvSource({
        "HF_HUB_CACHE=/c HF_HOME=/h, /c",
        "HF_HOME=/h XDG_CACHE_HOME=/x, /h/hub",
        "XDG_CACHE_HOME=/x, /x/huggingface/hub",
        "HF_HUB_CACHE= HF_HOME=/h, /h/hub",
    })
    void theCacheIsWhereTheEnvironmentSays(String variables, String expected) {
        Map<String, String> environment = new java.util.HashMap<>();
        for (String variable : variables.split(" ")) {
            environment.put(variable.split("=")[0], variable.replaceFirst("[^=]*=", ""));
        }
        assertThat(HubCache.of(environment).root()).isEqualTo(Path.of(expected));
    }

    @ParameterizedTest
    @CsvSource({
        "/c/models--org--model--x/snapshots/0123456789abcdef0123456789abcdef01234567/unet, org/model--x",
        "/c/models/clip/0123456789abcdef0123456789abcdef01234567, clip",
        "/c/models/clip/, clip",
        "runs/one, one",
    })
    void labelsNameTheModel(String path, String label) {
        assertThat(Models.label(Path.of(path))).isEqualTo(label);
    }
}
