package dev.diva.eval;

import dev.diva.BadInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;

/** The rows of MMVP-VLM's Questions.csv, two by two: below a header the question id, the type and the statement. */
final class MmvpTable {
    private static final String COLUMNS = "question id, type, statement";

    /** A statement; {@code number} is its row. */
    record Row(long number, int id, String type, String statement) {}

    /** Two statements of one type, whatever their order in the table: that of the odd id, of the first image, and that of the even one. */
    record RowPair(Row odd, Row even) {
        /** The one that stands first in the table. */
        Row first() {
            return odd.number < even.number ? odd : even;
        }
    }

    private final Path file;
    private final List<Row> rows = new ArrayList<>();
    private final Map<Integer, Row> byId = new HashMap<>();

    private MmvpTable(Path file) {
        this.file = file;
    }

    /**
     * Reads the table.
     *
     * @throws BadInputException that names the row when the header is missing, a row is damaged, or two rows that follow each other are no pair
     */
    static List<RowPair> read(Path file) {
        return new MmvpTable(file).read();
    }

    private List<RowPair> read() {
        List<CSVRecord> records = CsvRows.read(file, CSVFormat.DEFAULT);
        if (!records.isEmpty() && records.get(0).get(0).strip().matches("\\d+")) {
            throw new BadInputException(file + " row " + records.get(0).getRecordNumber()
                    + ": a question, expected the header (" + COLUMNS + ") above it");
        }
        if (records.size() < 2) {
            throw new BadInputException(file + ": no questions below the header");
        }
        records.subList(1, records.size()).forEach(record -> add(row(record)));
        List<RowPair> pairs = new ArrayList<>();
        for (int i = 0; i + 1 < rows.size(); i += 2) {
            pairs.add(pair(rows.get(i), rows.get(i + 1)));
        }
        if (rows.size() % 2 != 0) {
            Row last = rows.get(rows.size() - 1);
            throw new BadInputException(file + " row " + last.number + ": " + rows.size()
                    + " rows, expected two for each pair; question " + last.id + " has no partner");
        }
        return pairs;
    }

    private void add(Row row) {
        rows.add(row);
        Row other = byId.putIfAbsent(row.id, row);
        if (other != null) {
            throw new BadInputException(
                    file + " rows " + other.number + " and " + row.number + ": both are question " + row.id);
        }
    }

    private RowPair pair(Row first, Row second) {
        boolean firstIsOdd = isOdd(first);
        RowPair pair = firstIsOdd ? new RowPair(first, second) : new RowPair(second, first);
        String fault = "";
        if (firstIsOdd == isOdd(second)) {
            fault = "both ids are " + (firstIsOdd ? "odd" : "even");
        } else if (!first.type.equals(second.type)) {
            fault = "their types are \"" + first.type + "\" and \"" + second.type + "\"";
        } else if (pair.even.id != pair.odd.id + 1) {
            fault = stranger(pair.odd, pair.odd.id + 1);
            fault = fault.isEmpty() ? stranger(pair.even, pair.even.id - 1) : fault;
        }
        if (!fault.isEmpty()) {
            throw new BadInputException(file + " rows " + first.number + " and " + second.number + ": questions "
                    + first.id + " and " + second.id + " are no pair, " + fault
                    + "; a pair is an odd and an even id of one type in two rows that follow each other: sort by id");
        }
        return pair;
    }

    private static boolean isOdd(Row row) {
        return Math.floorMod(row.id, 2) == 1;
    }

    /** Ids may be numbered in another way than 1 and 2, 3 and 4; but not when the partner by that numbering is in the table. */
    private String stranger(Row row, int partner) {
        Row other = byId.get(partner);
        return other == null
                ? ""
                : "question " + partner + ", the partner of " + row.id + ", is in row " + other.number;
    }

    private Row row(CSVRecord row) {
        String place = file + " row " + row.getRecordNumber() + ": ";
        if (row.size() < 3) {
            throw new BadInputException(place + row.size() + " columns, expected " + COLUMNS + ", separated by commas");
        }
        if (row.get(2).isBlank()) {
            throw new BadInputException(place + "empty statement; write what its image shows");
        }
        String type = row.get(1).strip();
        if (type.isEmpty() || type.matches("(?s)\\.+|.*[/\\\\\\p{Cntrl}].*")) {
            throw new BadInputException(
                    place + "type \"" + type.replaceAll("\\p{Cntrl}", "?") + "\" cannot be the name of a folder");
        }
        try {
            return new Row(row.getRecordNumber(), Integer.parseInt(row.get(0).strip()), type, row.get(2));
        } catch (NumberFormatException e) {
            throw new BadInputException(place + "question id \"" + row.get(0) + "\", expected a whole number", e);
        }
    }
}
