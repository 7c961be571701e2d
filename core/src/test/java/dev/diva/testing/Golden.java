package dev.diva.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.SafetensorsFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Assumptions;

/**
 * A folder of numbers that the reference code computed: {@code src/test/resources/golden/NAME}, or NAME below the folder that
 * {@code -Ddiva.golden} names, whose cases have other seeds and sizes. A test that uses one is tagged {@code golden} and takes
 * dimensions, options and right values from the case.
 */
public final class Golden {
    /** Tensors are views of mapped files, which must not be collected while a test looks at them. */
    private static final Map<String, Golden> OPENED = new ConcurrentHashMap<>();

    private final Path folder;
    private final SafetensorsFile inputs;
    private final SafetensorsFile expected;

    private Golden(Path folder) {
        this.folder = folder;
        this.inputs = openIfPresent(folder.resolve("inputs.safetensors"));
        this.expected = openIfPresent(folder.resolve("expected.safetensors"));
    }

    /** The case of that name. */
    public static Golden of(String name) {
        return OPENED.computeIfAbsent(name, key -> new Golden(path(key)));
    }

    /** Folder of a case on disk; a case that the folder of {@code -Ddiva.golden} lacks skips its test. */
    public static Path path(String name) {
        String elsewhere = System.getProperty("diva.golden");
        if (elsewhere != null) {
            Path folder = Path.of(elsewhere, name).toAbsolutePath();
            Assumptions.assumeTrue(Files.isDirectory(folder), () -> "no case " + folder);
            return folder;
        }
        URL url = Golden.class.getResource("/golden/" + name);
        if (url == null) {
            throw new IllegalArgumentException("no golden case " + name + " in src/test/resources/golden");
        }
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A file of the case. */
    public Path file(String name) {
        return folder.resolve(name);
    }

    /** The case's description. */
    public JsonNode json(String name) {
        try {
            return new ObjectMapper().readTree(Files.readAllBytes(folder.resolve(name)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An input tensor, owned by the caller's scope. */
    public Tensor input(String name) {
        return inputs.read(name);
    }

    /** An expected tensor, owned by the caller's scope. */
    public Tensor expected(String name) {
        return expected.read(name);
    }

    /** Every expected tensor. */
    public SafetensorsFile expected() {
        return expected;
    }

    private static SafetensorsFile openIfPresent(Path path) {
        return Files.exists(path) ? SafetensorsFile.open(path) : null;
    }
}
