package dev.diva.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Assumptions;

/**
 * A folder of numbers that the reference code computed: {@code src/test/resources/golden/NAME}, or NAME below the folder that
 * {@code -Ddiva.golden} names, whose cases have other seeds and sizes. A test that proves these numbers is tagged
 * {@code golden} and takes dimensions, options and right values from the case. A test that only needs a small model or some
 * images takes {@link #resource} or {@link #model}: those of the test resources whatever the property says.
 */
public final class Golden {
    /** Tensors are views of mapped files, which must not be collected while a test looks at them. */
    private static final Map<Path, SafetensorsFile> OPENED = new ConcurrentHashMap<>();

    private final String name;
    private final Function<String, Path> folders;

    private Golden(String name, Function<String, Path> folders) {
        this.name = name;
        this.folders = folders;
    }

    /** The case of that name; a use of one that the folder of {@code -Ddiva.golden} lacks skips the test. */
    public static Golden of(String name) {
        return new Golden(name, Golden::path);
    }

    /**
     * Where cases are computed, in fp32: on the processor, or the device that {@code -Ddiva.device} names. Tests of what only the
     * processor has do not ask.
     */
    public static Placement placement() {
        return Placement.on(System.getProperty("diva.device", "cpu"), Precision.FP32);
    }

    /** The case of that name in the test resources. */
    public static Golden resource(String name) {
        return new Golden(name, Golden::model);
    }

    /** Folder of a case on disk; a case that the folder of {@code -Ddiva.golden} lacks skips its test. */
    public static Path path(String name) {
        String elsewhere = System.getProperty("diva.golden");
        if (elsewhere == null) {
            return model(name);
        }
        Path base = Path.of(System.getProperty("diva.golden.base", ""));
        Path path = base.resolve(elsewhere).resolve(name).toAbsolutePath();
        Assumptions.assumeTrue(Files.exists(path), () -> "no case " + path);
        return path;
    }

    /** Folder or file of a case in the test resources. */
    public static Path model(String name) {
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
    public Path file(String file) {
        return folders.apply(name).resolve(file);
    }

    /** The case's description, or another of its JSON files. */
    public JsonNode json(String file) {
        try {
            return new ObjectMapper().readTree(Files.readAllBytes(file(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How far values may be off, as the case says. */
    public double tolerance() {
        double tolerance = json("case.json").path("tolerance_abs_fp32").asDouble();
        if (tolerance <= 0) {
            throw new IllegalStateException(file("case.json") + ": no tolerance_abs_fp32");
        }
        return tolerance;
    }

    /** A number that the case's description tells in words: the first group of the pattern in the text of that key. */
    public double told(String key, String pattern) {
        String text = json("case.json").path(key).asText();
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        if (!matcher.find()) {
            throw new IllegalStateException(file("case.json") + ": no " + pattern + " in \"" + text + "\"");
        }
        return Double.parseDouble(matcher.group(1));
    }

    /** Names of the tensors of a file of the case that start so, without the start. */
    public static List<String> endings(TensorSource tensors, String start) {
        return tensors.tensors().stream()
                .map(TensorInfo::name)
                .filter(name -> name.startsWith(start))
                .map(name -> name.substring(start.length()))
                .toList();
    }

    /** An input tensor, owned by the caller's scope. */
    public Tensor input(String tensor) {
        return inputs().read(tensor);
    }

    /** An expected tensor, owned by the caller's scope. */
    public Tensor expected(String tensor) {
        return expected().read(tensor);
    }

    /** Every input tensor. */
    public SafetensorsFile inputs() {
        return OPENED.computeIfAbsent(file("inputs.safetensors"), SafetensorsFile::open);
    }

    /** Every expected tensor. */
    public SafetensorsFile expected() {
        return OPENED.computeIfAbsent(file("expected.safetensors"), SafetensorsFile::open);
    }
}
