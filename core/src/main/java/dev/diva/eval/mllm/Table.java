package dev.diva.eval.mllm;

import dev.diva.BadInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** CSV and TSV as pandas reads them: quotes doubled inside quotes, line feeds inside quotes. The first row is the header. */
record Table(Path file, List<String> header, List<Row> rows) {
    /** A row and its number, the header being row 1. */
    record Row(Path file, long number, List<String> header, List<String> cells) {
        String place() {
            return file + " row " + number;
        }

        String cell(int column) {
            return column < cells.size() ? cells.get(column) : "";
        }

        /** The cell below a heading, empty when the table has no such column. */
        String cell(String heading) {
            int column = header.indexOf(heading);
            return column < 0 ? "" : cell(column);
        }
    }

    static Table read(Path file, char delimiter) {
        CSVFormat format = CSVFormat.DEFAULT
                .builder()
                .setDelimiter(delimiter)
                .setIgnoreEmptyLines(true)
                .setTrailingData(true)
                .get();
        List<String> header = List.of();
        List<Row> rows = new ArrayList<>();
        try (CSVParser parser = CSVParser.parse(file, StandardCharsets.UTF_8, format)) {
            for (CSVRecord record : parser) {
                if (header.isEmpty()) {
                    List<String> names = record.toList();
                    header = names.stream()
                            .map(name -> name.replace("\uFEFF", "").strip())
                            .toList();
                } else {
                    rows.add(new Row(file, record.getRecordNumber(), header, record.toList()));
                }
            }
        } catch (IOException | java.io.UncheckedIOException e) {
            throw new BadInputException(file + ": cannot be read as a table: " + e.getMessage(), e);
        }
        if (rows.isEmpty()) {
            throw new BadInputException(file + ": no questions below the header");
        }
        return new Table(file, header, rows);
    }

    void requireColumns(List<String> names) {
        for (String name : names) {
            if (!header.contains(name)) {
                throw new BadInputException(file + ": no column \"" + name + "\"; found " + String.join(", ", header));
            }
        }
    }
}
