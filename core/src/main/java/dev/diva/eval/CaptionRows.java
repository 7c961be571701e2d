package dev.diva.eval;

import dev.diva.BadInputException;
import dev.diva.TextFile;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;

/** Captions, a row each: CSV or TSV with a header, Flickr30k's results.csv with its bars, or Flickr's {@code .token} file. */
final class CaptionRows {
    /** {@code image_name| comment_number| comment}; one of its rows lacks the second bar. */
    private static final Pattern FLICKR_HEADER =
            Pattern.compile("\\s*image_name\\s*\\|\\s*comment_number\\s*\\|\\s*comment\\s*");

    private static final Pattern FLICKR_ROW = Pattern.compile("([^|]+)\\|\\s*\\d+\\s*(?:\\||\\s)(.*)");

    /** {@code 1000092795.jpg#0}, a tab, the caption. */
    private static final Pattern TOKEN_ROW = Pattern.compile("([^\\t]+)#\\d+\\t(.*)");

    private final Path file;
    private final CaptionTable.Selection selection;
    private final CaptionTable.Captions captions;

    private CaptionRows(Path file, CaptionTable.Selection selection, CaptionTable.Captions captions) {
        this.file = file;
        this.selection = selection;
        this.captions = captions;
    }

    static void read(Path file, CaptionTable.Selection selection, CaptionTable.Captions captions) {
        CaptionRows rows = new CaptionRows(file, selection, captions);
        List<String> lines = TextFile.read(file).lines().toList();
        if (!lines.isEmpty() && FLICKR_HEADER.matcher(lines.get(0)).matches()) {
            rows.read(lines, 1, FLICKR_ROW, "image| number| caption");
        } else if (!lines.isEmpty() && TOKEN_ROW.matcher(lines.get(0)).matches()) {
            rows.read(lines, 0, TOKEN_ROW, "image#number, a tab, the caption");
        } else {
            rows.readTable();
        }
    }

    private void read(List<String> lines, int first, Pattern form, String expected) {
        for (int i = first; i < lines.size(); i++) {
            Matcher row = form.matcher(lines.get(i));
            if (row.matches()) {
                add(row.group(1), row.group(2), i + 1);
            } else if (!lines.get(i).isBlank()) {
                throw new BadInputException(place(i + 1) + "\"" + lines.get(i) + "\", expected " + expected);
            }
        }
    }

    private void readTable() {
        boolean isTabbed = file.toString().toLowerCase(Locale.ROOT).endsWith(".tsv");
        CSVFormat format = isTabbed ? CSVFormat.TDF : CSVFormat.DEFAULT;
        List<CSVRecord> rows = CsvRows.read(
                file, format.builder().setIgnoreSurroundingSpaces(true).get());
        if (rows.isEmpty()) {
            throw new BadInputException(file + ": empty, expected a header and a row per caption");
        }
        List<String> header = Arrays.asList(rows.get(0).values());
        int image = column(header, selection.imageColumn(), "--image-column (in a suite: imageColumn)");
        int caption = column(header, selection.captionColumn(), "--caption-column (in a suite: captionColumn)");
        for (CSVRecord row : rows.subList(1, rows.size())) {
            if (row.size() != header.size()) {
                throw new BadInputException(place(row.getRecordNumber()) + row.size() + " columns, the header has "
                        + header.size() + " (" + row.get(0) + ")");
            }
            add(row.get(image), row.get(caption), row.getRecordNumber());
        }
    }

    private int column(List<String> header, String column, String option) {
        if (!header.contains(column)) {
            throw new BadInputException(
                    file + " row 1: no column \"" + column + "\" among " + header + "; name it with " + option);
        }
        if (header.indexOf(column) != header.lastIndexOf(column)) {
            throw new BadInputException(file + " row 1: column \"" + column + "\" twice among " + header);
        }
        return header.indexOf(column);
    }

    private void add(String image, String caption, long row) {
        if (image.isBlank() || caption.isBlank()) {
            throw new BadInputException(place(row) + "empty " + (image.isBlank() ? "image" : "caption"));
        }
        captions.of(image.strip()).add(caption.strip());
    }

    private String place(long row) {
        return file + " row " + row + ": ";
    }
}
