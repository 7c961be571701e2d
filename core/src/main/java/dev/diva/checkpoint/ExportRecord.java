package dev.diva.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/** {@code diva-export.json}: the CRC-32 of each file of an exported folder, by which a later export knows what it may replace. */
public final class ExportRecord implements Predicate<Path> {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NAME = "diva-export.json";

    private final Path folder;
    private final JsonNode sums;

    private ExportRecord(Path folder, JsonNode sums) {
        this.folder = folder;
        this.sums = sums;
    }

    /**
     * Refuses a place where an export would replace what is not of an earlier one.
     *
     * @param overwrite whether an earlier one may be replaced
     * @throws dev.diva.BadInputException when it would
     */
    public static void requireReplaceable(Path folder, boolean overwrite) {
        if (overwrite) {
            AtomicFolder.requireOurs(folder, of(folder));
        } else {
            AtomicFolder.requireFree(folder, "choose another place or add --overwrite");
        }
    }

    /** Writes an exported folder with its record; {@link #requireReplaceable} says over what. */
    public static void write(Path folder, boolean overwrite, AtomicFolder.Body body) {
        requireReplaceable(folder, overwrite);
        AtomicFolder.replace(folder, of(folder), temporary -> {
            body.write(temporary);
            write(temporary);
        });
    }

    /** The record of a folder; one of nothing where there is none. */
    private static ExportRecord of(Path folder) {
        try {
            Path file = folder.resolve(NAME);
            JsonNode root = Files.isRegularFile(file) ? JSON.readTree(file.toFile()) : JSON.createObjectNode();
            return new ExportRecord(folder, root.path("crc32"));
        } catch (IOException e) {
            return new ExportRecord(folder, JSON.createObjectNode());
        }
    }

    /** Writes the record of all files that are in the folder by now, those of its subfolders by their path with slashes. */
    private static void write(Path folder) throws IOException {
        ObjectNode root = JSON.createObjectNode();
        ObjectNode sums = root.putObject("crc32");
        try (Stream<Path> paths = Files.walk(folder)) {
            List<Path> files = paths.filter(Files::isRegularFile).sorted().toList();
            for (Path file : files) {
                sums.put(key(folder.relativize(file)), crc32(file));
            }
        }
        Files.writeString(folder.resolve(NAME), root.toPrettyString() + "\n");
    }

    /** Whether the file of that path inside the folder is as an export has written it. */
    @Override
    public boolean test(Path file) {
        if (file.toString().equals(NAME)) {
            return sums.isObject();
        }
        try {
            JsonNode sum = sums.path(key(file));
            return sum.isTextual() && sum.textValue().equals(crc32(folder.resolve(file)));
        } catch (IOException e) {
            return false;
        }
    }

    private static String key(Path inside) {
        return inside.toString().replace(File.separatorChar, '/');
    }

    private static String crc32(Path file) throws IOException {
        try (CheckedInputStream in = new CheckedInputStream(Files.newInputStream(file), new CRC32())) {
            in.transferTo(OutputStream.nullOutputStream());
            return Long.toHexString(in.getChecksum().getValue());
        }
    }
}
