package dev.diva.eval;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.data.ImageEntry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * Captions of the images of a folder from one file: COCO's annotations, Karpathy's {@code dataset_*.json}, or a table with a header in
 * CSV or TSV, a row per caption. Images keep the order in which the file names them first.
 */
public final class CaptionTable implements CaptionSet {
    private final Path file;
    private final Path folder;
    private final Map<String, List<String>> captions = new LinkedHashMap<>();
    private final Set<String> warnings = new LinkedHashSet<>();

    /**
     * What to take of the file.
     *
     * @param split of a Karpathy file, which holds all
     * @param imageColumn header of a table's column of file names
     * @param captionColumn header of a table's column of captions
     */
    public record Selection(String split, String imageColumn, String captionColumn) {
        /** The test images; columns image and caption. */
        public static final Selection DEFAULT = new Selection("test", "image", "caption");
    }

    private CaptionTable(Path file, Path folder) {
        this.file = file;
        this.folder = folder;
    }

    /**
     * Reads the whole file.
     *
     * @param folder what the file's image names are relative to
     * @throws BadInputException for a file of none of the kinds, wrong columns, a damaged row (named) or no captions
     */
    public static CaptionTable read(Path file, Path folder, Selection selection) {
        CaptionTable table = new CaptionTable(file, folder);
        if (file.toString().toLowerCase(Locale.ROOT).endsWith(".json")) {
            table.readJson(selection);
        } else {
            table.readRows(selection);
        }
        if (table.captions.isEmpty()) {
            throw new BadInputException(file + ": no captions (of split " + selection.split + ")");
        }
        return table;
    }

    private void readJson(Selection selection) {
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new BadInputException(file + ": not JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getMessage(), e);
        }
        JsonNode images = root.path("images");
        if (images.path(0).has("sentences")) {
            images.forEach(image -> readKarpathy(image, selection.split));
        } else if (images.isArray() && root.path("annotations").isArray()) {
            readCoco(images, root.path("annotations"));
        } else {
            throw new BadInputException(
                    file + ": expected COCO's images and annotations, or Karpathy's images with sentences");
        }
    }

    private void readKarpathy(JsonNode image, String split) {
        String own = image.path("split").asText();
        if (own.equals(split) || (split.equals("train") && own.equals("restval"))) {
            String name = required(image, "filename", "image " + image.path("imgid"));
            String below = image.path("filepath").asText("");
            List<String> sentences = list(below.isEmpty() ? name : below + "/" + name);
            image.path("sentences").forEach(sentence -> sentences.add(required(sentence, "raw", name)));
        }
    }

    private void readCoco(JsonNode images, JsonNode annotations) {
        Map<String, String> names = new LinkedHashMap<>();
        images.forEach(image -> names.put(
                required(image, "id", "an image"), required(image, "file_name", "image " + image.path("id"))));
        names.values().forEach(this::list);
        int row = 0;
        for (JsonNode annotation : annotations) {
            String id = required(annotation, "image_id", "annotation " + row);
            if (!names.containsKey(id)) {
                throw new BadInputException(file + ": annotation " + row + ": no image of id " + id);
            }
            list(names.get(id)).add(required(annotation, "caption", "annotation " + row));
            row++;
        }
        captions.values().removeIf(List::isEmpty);
    }

    private String required(JsonNode node, String key, String place) {
        if (!node.path(key).isValueNode()) {
            throw new BadInputException(file + ": " + place + " has no " + key);
        }
        return node.path(key).asText().strip();
    }

    private void readRows(Selection selection) {
        boolean isTabbed = file.toString().toLowerCase(Locale.ROOT).endsWith(".tsv");
        CSVFormat format = (isTabbed ? CSVFormat.TDF : CSVFormat.DEFAULT)
                .builder()
                .setHeader()
                .setSkipHeaderRecord(true)
                .setIgnoreEmptyLines(true)
                .get();
        try (CSVParser parser = CSVParser.parse(file, StandardCharsets.UTF_8, format)) {
            requireColumn(parser, selection.imageColumn, "--image-column");
            requireColumn(parser, selection.captionColumn, "--caption-column");
            for (CSVRecord row : parser) {
                readRow(row, parser.getHeaderNames().size(), selection);
            }
        } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
            throw new BadInputException(file + ": cannot be read as a table: " + e.getMessage(), e);
        }
    }

    private void requireColumn(CSVParser parser, String column, String option) {
        if (!parser.getHeaderMap().containsKey(column)) {
            throw new BadInputException(file + " row 1: no column \"" + column + "\" among " + parser.getHeaderNames()
                    + "; name it with " + option);
        }
    }

    private void readRow(CSVRecord row, int numColumns, Selection selection) {
        String place = file + " row " + (row.getRecordNumber() + 1) + ": ";
        if (row.size() != numColumns) {
            throw new BadInputException(
                    place + row.size() + " columns, the header has " + numColumns + " (" + row.values()[0] + ")");
        }
        String image = row.get(selection.imageColumn).strip();
        String caption = row.get(selection.captionColumn).strip();
        if (image.isEmpty() || caption.isEmpty()) {
            throw new BadInputException(place + "empty " + (image.isEmpty() ? "image" : "caption"));
        }
        list(image).add(caption);
    }

    private List<String> list(String image) {
        return captions.computeIfAbsent(image, name -> new ArrayList<>());
    }

    @Override
    public String name() {
        return folder.toString();
    }

    /** An image that is not there is left out with its captions, and reported. */
    @Override
    public void readCaptions(Consumer<CaptionedImage> consumer) {
        captions.forEach((name, own) -> {
            Path image = folder.resolve(name);
            if (Files.isRegularFile(image)) {
                consumer.accept(new CaptionedImage(ImageEntry.of(image), own));
            } else {
                warnings.add(image + ": missing; its " + own.size() + " captions are left out");
            }
        });
    }

    @Override
    public List<String> warnings() {
        return List.copyOf(warnings);
    }
}
