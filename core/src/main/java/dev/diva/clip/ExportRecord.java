package dev.diva.clip;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
final class ExportRecord implements Predicate<Path> {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NAME = "diva-export.json";

    private final Path folder;
    private final JsonNode sums;

    private ExportRecord(Path folder, JsonNode sums) {
        this.folder = folder;
        this.sums = sums;
    }

    /** The record of a folder; one of nothing where there is none. */
    static ExportRecord of(Path folder) {
        try {
            Path file = folder.resolve(NAME);
            JsonNode root = Files.isRegularFile(file) ? JSON.readTree(file.toFile()) : JSON.createObjectNode();
            return new ExportRecord(folder, root.path("crc32"));
        } catch (IOException e) {
            return new ExportRecord(folder, JSON.createObjectNode());
        }
    }

    /** Writes the record of all files that are in the folder by now. */
    static void write(Path folder) throws IOException {
        ObjectNode root = JSON.createObjectNode();
        ObjectNode sums = root.putObject("crc32");
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> sorted = files.sorted().toList();
            for (Path file : sorted) {
                sums.put(file.getFileName().toString(), crc32(file));
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
            JsonNode sum = sums.path(file.toString());
            return sum.isTextual() && sum.textValue().equals(crc32(folder.resolve(file)));
        } catch (IOException e) {
            return false;
        }
    }

    private static String crc32(Path file) throws IOException {
        try (CheckedInputStream in = new CheckedInputStream(Files.newInputStream(file), new CRC32())) {
            in.transferTo(OutputStream.nullOutputStream());
            return Long.toHexString(in.getChecksum().getValue());
        }
    }
}
