package dev.diva.eval;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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

    private final Path folder;
    private final Path table;
    private final Missing missing;
    private final List<String> warnings = new ArrayList<>();
    private final List<String> leftOut = new ArrayList<>();
    private final Map<Path, Map<String, Path>> listed = new HashMap<>();

    private MmvpReader(Path folder, Missing missing) {
        this.folder = folder;
        this.table = folder.resolve("Questions.csv");
        this.missing = missing;
    }

    /**
     * Reads the table and finds the images.
     *
     * @throws BadInputException when the folder has no table or images, a row is damaged or no pair with its neighbour, or no pair is left
     */
    public static MmvpSet read(Path folder, Missing missing) {
        return new MmvpReader(folder, missing).read();
    }

    private MmvpSet read() {
        List<MmvpTable.RowPair> rows = MmvpTable.read(table);
        List<String> patterns = patterns(rows);
        Path images = imageFolder();
        List<MmvpPair> pairs = new ArrayList<>();
        for (int position = 0; position < rows.size(); position++) {
            pair(images, patterns.get(position), rows.get(position)).ifPresent(pairs::add);
        }
        if (!leftOut.isEmpty()) {
            warnings.add(
                    0,
                    folder + ": " + leftOut.size() + " of " + rows.size() + " pairs are left out: " + leftOut.get(0)
                            + " is missing" + (leftOut.size() > 1 ? ", the first of " + leftOut.size() : ""));
        }
        if (pairs.isEmpty()) {
            throw new BadInputException(leftOut.get(0) + ": missing; none of the " + rows.size()
                    + " pairs has both images, which are expected as TYPE/ID.jpg under " + images);
        }
        return new MmvpSet(folder, List.copyOf(pairs), rows.size(), List.copyOf(warnings));
    }

    /** The pattern of each pair: in the known set its place, unless each type stands there as often as it should; else its type. */
    private List<String> patterns(List<MmvpTable.RowPair> rows) {
        List<String> types = rows.stream().map(pair -> pair.first().type()).toList();
        boolean known = rows.size() == MmvpSet.PATTERNS.size() * MmvpSet.PAIRS_PER_PATTERN
                && MmvpSet.PATTERNS.containsAll(types);
        if (!known) {
            warnDifferent(rows);
            return types;
        }
        boolean isWhole =
                types.stream().collect(Collectors.groupingBy(type -> type, Collectors.counting())).values().stream()
                        .allMatch(count -> count == MmvpSet.PAIRS_PER_PATTERN);
        if (isWhole) {
            return types;
        }
        List<String> patterns = new ArrayList<>();
        for (int position = 0; position < rows.size(); position++) {
            String pattern = MmvpSet.PATTERNS.get(position / MmvpSet.PAIRS_PER_PATTERN);
            patterns.add(pattern);
            if (!pattern.equals(types.get(position))) {
                warnings.add(table + " row " + rows.get(position).first().number() + ": type \"" + types.get(position)
                        + "\" counted as \"" + pattern + "\", its place in the known 135 pairs");
            }
        }
        return patterns;
    }

    private void warnDifferent(List<MmvpTable.RowPair> rows) {
        warnings.add(folder + ": " + rows.size()
                + " pairs, not the known 135 pairs of MMVP-VLM; scores are not comparable with published ones");
        if (rows.stream().anyMatch(pair -> MmvpSet.PATTERNS.contains(pair.odd().type()))) {
            rows.stream()
                    .flatMap(pair -> Stream.of(pair.odd(), pair.even()))
                    .filter(row -> !MmvpSet.PATTERNS.contains(row.type()))
                    .forEach(row -> warnings.add(table.getFileName() + " row " + row.number() + ": \"" + row.type()
                            + "\" is none of the nine patterns; counted as a pattern of its own"));
        }
    }

    private Optional<MmvpPair> pair(Path images, String pattern, MmvpTable.RowPair rows) {
        List<MmvpTable.Row> both = List.of(rows.odd(), rows.even());
        Path type = images.resolve(rows.odd().type());
        List<Path> found = new ArrayList<>();
        for (MmvpTable.Row row : both) {
            Optional<Path> image = image(type, row.id());
            if (image.isEmpty()) {
                Path name = type.resolve(row.id() + ".jpg");
                String questions = " of questions " + rows.odd().id() + " and "
                        + rows.even().id();
                if (missing == Missing.FAIL) {
                    throw new BadInputException(name + ": missing image" + questions);
                }
                warnings.add(name + ": missing; pair" + questions + " left out");
                leftOut.add(name.toString());
                return Optional.empty();
            }
            found.add(image.orElseThrow());
        }
        return Optional.of(new MmvpPair(
                pattern,
                both.stream().map(MmvpTable.Row::id).toList(),
                found,
                both.stream().map(MmvpTable.Row::statement).toList()));
    }

    /** The image of an id; the suffix may be written in capitals. */
    private Optional<Path> image(Path type, int id) {
        Map<String, Path> files = listed.computeIfAbsent(type, MmvpReader::filesIn);
        return EXTENSIONS.stream()
                .map(extension -> files.get(id + extension))
                .filter(Objects::nonNull)
                .findFirst();
    }

    /** The files of a folder by their names in small letters; none when there is no such folder. */
    private static Map<String, Path> filesIn(Path type) {
        if (!Files.isDirectory(type)) {
            return Map.of();
        }
        try (Stream<Path> files = Files.list(type)) {
            return files.filter(Files::isRegularFile)
                    .sorted()
                    .collect(Collectors.toMap(
                            file -> file.getFileName().toString().toLowerCase(Locale.ROOT), file -> file, (a, b) -> b));
        } catch (IOException e) {
            throw new BadInputException(type + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    private Path imageFolder() {
        return IMAGE_FOLDERS.stream()
                .map(folder::resolve)
                .filter(Files::isDirectory)
                .findFirst()
                .orElseThrow(() ->
                        new BadInputException(folder + ": has no folder MLLM_VLM_Images (or \"MLLM_VLM Images\")"));
    }
}
