package dev.diva.eval;

import dev.diva.BadInputException;
import dev.diva.TextFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** The rows of a table with their numbers as a spreadsheet counts them: {@link CSVRecord#getRecordNumber}, the header is row 1. */
final class CsvRows {
    private CsvRows() {}

    /** Rows in which something is written. */
    static List<CSVRecord> read(Path file, CSVFormat format) {
        CSVFormat whole = format.builder().setIgnoreEmptyLines(false).get();
        try (CSVParser parser = CSVParser.parse(TextFile.read(file), whole)) {
            return parser.stream()
                    .filter(row -> !Arrays.stream(row.values()).allMatch(String::isBlank))
                    .toList();
        } catch (IOException | UncheckedIOException e) {
            throw new BadInputException(file + ": cannot be read as a table: " + e.getMessage(), e);
        }
    }
}
