package dev.diva.feedback;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.TextFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * Images with three captions each, for {@link TeacherCheck}: JSON lines, or CSV with a header, of {@code image}, {@code caption}, {@code gist} and
 * {@code wrong}; other columns are not looked at.
 */
public final class TeacherPairs {
    private static final List<String> COLUMNS = List.of("image", "caption", "gist", "wrong");

    private TeacherPairs() {}

    /**
     * One image.
     *
     * @param image its file
     * @param caption right, with all detail
     * @param gist right, without detail
     * @param wrong the caption with a single attribute changed
     */
    public record Pair(Path image, String caption, String gist, String wrong) {}

    /**
     * Reads a file.
     *
     * @param images folder that images lie in
     * @throws BadInputException naming the row, for a value that is missing, a wrong caption that is the right one, or an image that is not there
     */
    public static List<Pair> read(Path file, Path images) {
        String text = TextFile.read(file, "expected JSON lines, or CSV with a header, of " + COLUMNS);
        boolean isJson = text.stripLeading().startsWith("{");
        List<Pair> pairs =
                text.isBlank() ? List.of() : isJson ? jsonLines(file, text, images) : table(file, text, images);
        if (pairs.isEmpty()) {
            throw new BadInputException(file + ": no row; expected JSON lines, or CSV with a header, of " + COLUMNS);
        }
        return pairs;
    }

    private static List<Pair> jsonLines(Path file, String text, Path images) {
        ObjectMapper json = new ObjectMapper();
        List<Pair> pairs = new ArrayList<>();
        int row = 0;
        for (String line : text.lines().toList()) {
            row++;
            if (line.isBlank()) {
                continue;
            }
            try {
                JsonNode node = json.readTree(line);
                Map<String, String> values = new HashMap<>();
                COLUMNS.forEach(column -> {
                    if (node.path(column).isTextual()) {
                        values.put(column, node.path(column).textValue());
                    }
                });
                pairs.add(pair(file + " line " + row, values, images));
            } catch (JsonProcessingException e) {
                throw new BadInputException(file + " line " + row + ": not JSON: " + e.getOriginalMessage(), e);
            }
        }
        return pairs;
    }

    private static List<Pair> table(Path file, String text, Path images) {
        CSVFormat format =
                file.toString().toLowerCase(Locale.ROOT).endsWith(".tsv") ? CSVFormat.TDF : CSVFormat.DEFAULT;
        try (CSVParser parser = CSVParser.parse(
                text, format.builder().setIgnoreSurroundingSpaces(true).get())) {
            List<CSVRecord> rows = parser.getRecords();
            List<String> header =
                    rows.isEmpty() ? List.of() : List.of(rows.get(0).values());
            Set<String> missing = new HashSet<>(COLUMNS);
            header.forEach(missing::remove);
            if (!missing.isEmpty()) {
                throw new BadInputException(
                        file + " row 1: the header is " + header + ", expected the columns " + COLUMNS);
            }
            List<Pair> pairs = new ArrayList<>();
            for (CSVRecord row : rows.subList(1, rows.size())) {
                String place = file + " row " + row.getRecordNumber();
                if (row.size() != header.size()) {
                    throw new BadInputException(
                            place + ": " + row.size() + " columns, the header has " + header.size());
                }
                Map<String, String> values = new HashMap<>();
                COLUMNS.forEach(column -> values.put(column, row.get(header.indexOf(column))));
                pairs.add(pair(place, values, images));
            }
            return pairs;
        } catch (IOException | UncheckedIOException e) {
            throw new BadInputException(file + ": cannot be read as a table: " + e.getMessage(), e);
        }
    }

    private static Pair pair(String place, Map<String, String> values, Path images) {
        for (String column : COLUMNS) {
            if (values.getOrDefault(column, "").isBlank()) {
                throw new BadInputException(place + ": no " + column + "; expected all of " + COLUMNS);
            }
        }
        Pair pair = new Pair(
                image(place, values.get("image").strip(), images),
                values.get("caption").strip(),
                values.get("gist").strip(),
                values.get("wrong").strip());
        if (pair.caption.equals(pair.wrong)) {
            throw new BadInputException(
                    place + ": wrong is the caption itself; expected it with a single attribute changed");
        }
        return pair;
    }

    private static Path image(String place, String name, Path images) {
        try {
            Path folder = images.toAbsolutePath().normalize();
            Path image = folder.resolve(name).normalize();
            if (!image.startsWith(folder)) {
                throw new BadInputException(place + ": image " + name + " leads out of " + images);
            }
            if (!Files.isRegularFile(image)) {
                throw new BadInputException(place + ": image " + name + ": no such file in " + images);
            }
            return image;
        } catch (InvalidPathException e) {
            throw new BadInputException(place + ": image " + name + ": no name of a file", e);
        }
    }
}
