package dev.diva.eval;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** Reads a folder in the format of MMVP-VLM: Questions.csv, two rows a pair, and a folder of images per pattern. */
public final class MmvpReader {
    private static final List<String> IMAGE_FOLDERS = List.of("MLLM_VLM_Images", "MLLM_VLM Images");
    private static final List<String> EXTENSIONS = List.of(".jpg", ".jpeg", ".png", ".webp");

    /** What happens to a pair without one of its images. */
    public enum Missing {
        /** The pair is left out and the score says so. */
        LEAVE_OUT,
        /** Reading fails. */
        FAIL
    }

    private record Row(long line, int id, String type, String statement) {}

    private final Path folder;
    private final Missing missing;
    private final List<String> warnings = new ArrayList<>();

    private MmvpReader(Path folder, Missing missing) {
        this.folder = folder;
        this.missing = missing;
    }

    /**
     * Reads the table and finds the images.
     *
     * @throws BadInputException when the folder has no table or images, a row is damaged or alone, or no pair is left
     */
    public static MmvpSet read(Path folder, Missing missing) {
        return new MmvpReader(folder, missing).read();
    }

    private MmvpSet read() {
        Path table = folder.resolve("Questions.csv");
        List<Row> rows = rows(table);
        if (rows.size() % 2 != 0) {
            throw new BadInputException(table + ": " + rows.size() + " rows, expected two for each pair; question "
                    + rows.get(rows.size() - 1).id + " has no partner");
        }
        int listed = rows.size() / 2;
        boolean known = listed == MmvpSet.PATTERNS.size() * MmvpSet.PAIRS_PER_PATTERN
                && rows.stream().map(Row::type).allMatch(MmvpSet.PATTERNS::contains);
        if (!known) {
            warnDifferent(rows, listed);
        }
        Path images = imageFolder();
        List<MmvpPair> pairs = new ArrayList<>();
        for (int position = 0; position < listed; position++) {
            Row first = rows.get(2 * position);
            Row second = rows.get(2 * position + 1);
            String pattern = known ? MmvpSet.PATTERNS.get(position / MmvpSet.PAIRS_PER_PATTERN) : first.type;
            if (known && !pattern.equals(first.type)) {
                warnings.add(table + " row " + first.line + ": type \"" + first.type + "\" counted as \"" + pattern
                        + "\", its place in the known 135 pairs");
            }
            pair(images, pattern, first, second).ifPresent(pairs::add);
        }
        if (pairs.isEmpty()) {
            throw new BadInputException(folder + ": no pair with both images; expected them under " + images);
        }
        return new MmvpSet(folder, List.copyOf(pairs), listed, List.copyOf(warnings));
    }

    private void warnDifferent(List<Row> rows, int listed) {
        warnings.add(folder + ": " + listed
                + " pairs, not the known 135 pairs of MMVP-VLM; scores are not comparable with" + " published ones");
        if (rows.stream().map(Row::type).anyMatch(MmvpSet.PATTERNS::contains)) {
            rows.stream()
                    .filter(row -> !MmvpSet.PATTERNS.contains(row.type))
                    .forEach(row -> warnings.add("Questions.csv row " + row.line + ": \"" + row.type
                            + "\" is none of the nine patterns; counted as a pattern of its own"));
        }
    }

    private Optional<MmvpPair> pair(Path images, String pattern, Row first, Row second) {
        Path type = images.resolve(first.type);
        Optional<Path> one = image(type, first.id);
        Optional<Path> two = image(type, second.id);
        if (one.isEmpty() || two.isEmpty()) {
            String name = type.resolve((one.isEmpty() ? first.id : second.id) + ".jpg")
                    .toString();
            if (missing == Missing.FAIL) {
                throw new BadInputException(name + ": missing image of questions " + first.id + " and " + second.id);
            }
            warnings.add(name + ": missing; pair of questions " + first.id + " and " + second.id + " left out");
            return Optional.empty();
        }
        return Optional.of(new MmvpPair(
                pattern,
                List.of(first.id, second.id),
                List.of(one.orElseThrow(), two.orElseThrow()),
                List.of(first.statement, second.statement)));
    }

    private static Optional<Path> image(Path type, int id) {
        return EXTENSIONS.stream()
                .map(extension -> type.resolve(id + extension))
                .filter(Files::isRegularFile)
                .findFirst();
    }

    private Path imageFolder() {
        return IMAGE_FOLDERS.stream()
                .map(folder::resolve)
                .filter(Files::isDirectory)
                .findFirst()
                .orElseThrow(() ->
                        new BadInputException(folder + ": has no folder MLLM_VLM_Images (or \"MLLM_VLM Images\")"));
    }

    private static List<Row> rows(Path table) {
        List<Row> rows = new ArrayList<>();
        CSVFormat format = CSVFormat.DEFAULT
                .builder()
                .setIgnoreEmptyLines(true)
                .setSkipHeaderRecord(true)
                .setHeader("id", "type", "statement")
                .get();
        try (CSVParser parser = CSVParser.parse(table, StandardCharsets.UTF_8, format)) {
            for (CSVRecord row : parser) {
                rows.add(row(table, row));
            }
        } catch (IOException | java.io.UncheckedIOException e) {
            throw new BadInputException(table + ": cannot be read as CSV: " + e.getMessage(), e);
        }
        if (rows.isEmpty()) {
            throw new BadInputException(table + ": no questions below the header");
        }
        return rows;
    }

    private static Row row(Path table, CSVRecord row) {
        long line = row.getRecordNumber() + 1;
        if (row.size() < 3) {
            throw new BadInputException(
                    table + " row " + line + ": " + row.size() + " columns, expected question id, type, statement");
        }
        if (row.get(2).isBlank()) {
            throw new BadInputException(table + " row " + line + ": empty statement; write what its image shows");
        }
        String type = row.get(1).strip();
        if (type.isEmpty() || type.matches("(?s)\\.+|.*[/\\\\\\p{Cntrl}].*")) {
            throw new BadInputException(table + " row " + line + ": type \"" + type.replaceAll("\\p{Cntrl}", "?")
                    + "\" cannot be the name of a folder");
        }
        try {
            return new Row(line, Integer.parseInt(row.get(0).strip()), type, row.get(2));
        } catch (NumberFormatException e) {
            throw new BadInputException(
                    table + " row " + line + ": question id \"" + row.get(0) + "\", expected a whole number", e);
        }
    }
}
