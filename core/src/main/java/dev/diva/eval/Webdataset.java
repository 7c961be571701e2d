package dev.diva.eval;

import dev.diva.BadInputException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** A data set in the layout of LAION's CLIP_benchmark: text files beside numbered tars. */
public final class Webdataset {
    private static final List<String> IMAGES = List.of("webp", "png", "jpg", "jpeg");

    private final Path folder;
    private final String split;
    private final List<String> warnings = new ArrayList<>();

    /**
     * Members of a tar with the same name up to the first dot.
     *
     * @param parts bytes by suffix, lower case
     */
    public record Sample(String key, Map<String, byte[]> parts) {
        EncodedImage image() {
            return IMAGES.stream()
                    .filter(parts::containsKey)
                    .findFirst()
                    .map(suffix -> new EncodedImage(key + "." + suffix, parts.get(suffix)))
                    .orElseThrow(() -> new BadInputException(key + ": no image; expected one of " + IMAGES));
        }

        byte[] part(String suffix) {
            byte[] bytes = parts.get(suffix);
            if (bytes == null) {
                throw new BadInputException(key + ": no ." + suffix + " member beside the image");
            }
            return bytes;
        }

        String text(String suffix) {
            return new String(part(suffix), StandardCharsets.UTF_8).strip();
        }
    }

    public Webdataset(Path folder, String split) {
        this.folder = folder;
        this.split = split;
    }

    /** Where the data lie. */
    public Path folder() {
        return folder;
    }

    /** What was lost on the way. */
    public List<String> warnings() {
        return List.copyOf(warnings);
    }

    /** classification, multilabel or retrieval. */
    public String type() {
        Path file = folder.resolve("dataset_type.txt");
        return Files.exists(file) ? String.join("", lines(file)).strip() : "classification";
    }

    /** Names of the classes; the line number is the label. */
    public List<String> classNames() {
        return lines(folder.resolve("classnames.txt"));
    }

    /** Prompts with the slot {@code {c}}. */
    public List<String> templates() {
        Path file = folder.resolve("zeroshot_classification_templates.txt");
        List<String> templates = lines(file);
        for (int i = 0; i < templates.size(); i++) {
            PromptEnsemble.requireSlot(templates.get(i), file + " line " + (i + 1));
        }
        return templates;
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file, StandardCharsets.UTF_8).stream()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .toList();
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** Hands on the samples in the order of the tars; what follows a damage in a tar is lost and reported. */
    public void read(Consumer<Sample> consumer) {
        Path count = folder.resolve(split).resolve("nshards.txt");
        int numShards;
        try {
            numShards = Integer.parseInt(String.join("", lines(count)).strip());
        } catch (NumberFormatException e) {
            throw new BadInputException(count + ": expected one whole number", e);
        }
        for (int shard = 0; shard < numShards; shard++) {
            readTar(folder.resolve(split).resolve(shard + ".tar"), consumer);
        }
    }

    private void readTar(Path file, Consumer<Sample> consumer) {
        if (!Files.isRegularFile(file)) {
            throw new BadInputException(file + ": missing; nshards.txt announces it");
        }
        int samples = 0;
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file));
                TarArchiveInputStream tar = new TarArchiveInputStream(in)) {
            Sample open = null;
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                int dot = entry.getName().indexOf('.', entry.getName().lastIndexOf('/') + 1);
                if (!entry.isFile() || dot < 0) {
                    continue;
                }
                byte[] bytes = tar.readAllBytes();
                if (bytes.length != entry.getSize()) {
                    throw new IOException("ends inside " + entry.getName());
                }
                String key = entry.getName().substring(0, dot);
                if (open == null || !open.key.equals(key)) {
                    if (open != null) {
                        consumer.accept(open);
                        samples++;
                    }
                    open = new Sample(key, new LinkedHashMap<>());
                }
                String suffix = entry.getName().substring(dot + 1).toLowerCase(Locale.ROOT);
                if (open.parts.put(suffix, bytes) != null) {
                    throw new BadInputException(file + ": " + entry.getName() + " occurs twice in a sample");
                }
            }
            if (open != null) {
                consumer.accept(open);
            }
        } catch (IOException e) {
            warnings.add(file + ": damaged after " + samples + " samples (" + e.getMessage() + "); the rest is lost");
        }
    }
}
