package dev.diva.eval;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import dev.diva.BadInputException;
import dev.diva.TextFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Captions in JSON: COCO's annotations, Karpathy's {@code dataset_*.json}, or a list of entries with an image and a caption or several, as
 * ALBEF, BLIP and LAVIS have it; the list may also be JSONL, an entry a line.
 */
final class CaptionJson {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final Path file;
    private final CaptionTable.Selection selection;
    private final CaptionTable.Captions captions;

    private CaptionJson(Path file, CaptionTable.Selection selection, CaptionTable.Captions captions) {
        this.file = file;
        this.selection = selection;
        this.captions = captions;
    }

    /** Whether the file is JSON by its name. */
    static boolean is(Path file) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(".json") || hasLines(file);
    }

    private static boolean hasLines(Path file) {
        return file.toString().toLowerCase(Locale.ROOT).matches(".*\\.(jsonl|ndjson)");
    }

    static void read(Path file, CaptionTable.Selection selection, CaptionTable.Captions captions) {
        new CaptionJson(file, selection, captions).read();
    }

    private void read() {
        String text = TextFile.read(file);
        if (hasLines(file)) {
            readLines(text);
            return;
        }
        try {
            readRoot(JSON.readTree(text));
        } catch (MismatchedInputException e) { // more behind the first value
            readLines(text);
        } catch (JsonProcessingException e) {
            throw notJson(file.toString(), e);
        }
    }

    private static BadInputException notJson(String place, JsonProcessingException e) {
        return new BadInputException(place + ": not JSON: " + e.getOriginalMessage(), e);
    }

    private void readRoot(JsonNode root) {
        JsonNode images = root.path("images");
        if (root.isArray()) {
            for (int i = 0; i < root.size(); i++) {
                readEntry(root.get(i), "entry " + (i + 1));
            }
        } else if (images.path(0).has("sentences")) {
            images.forEach(this::readKarpathy);
        } else if (images.isArray() && root.path("annotations").isArray()) {
            readCoco(images, root.path("annotations"));
        } else {
            throw new BadInputException(file + ": expected COCO's images and annotations, Karpathy's images with"
                    + " sentences, or a list of entries with an image and a caption");
        }
    }

    private void readLines(String text) {
        int row = 0;
        for (String line : text.lines().toList()) {
            row++;
            try {
                if (!line.isBlank()) {
                    readEntry(JSON.readTree(line), "row " + row);
                }
            } catch (JsonProcessingException e) {
                throw notJson(file + " row " + row, e);
            }
        }
    }

    /** The caption may be a list of several. */
    private void readEntry(JsonNode entry, String place) {
        List<String> own = captions.of(
                text(column(entry, selection.imageColumn(), "--image-column (in a suite: imageColumn)", place), place));
        JsonNode caption =
                column(entry, selection.captionColumn(), "--caption-column (in a suite: captionColumn)", place);
        for (JsonNode one : caption.isArray() ? caption : List.of(caption)) {
            own.add(text(one, place));
        }
    }

    private JsonNode column(JsonNode entry, String key, String option, String place) {
        if (!entry.has(key)) {
            List<String> keys = new ArrayList<>();
            entry.fieldNames().forEachRemaining(keys::add);
            throw new BadInputException(
                    file + ": " + place + ": no \"" + key + "\" among " + keys + "; name it with " + option);
        }
        return entry.path(key);
    }

    private String text(JsonNode node, String place) {
        if (!node.isTextual() || node.asText().isBlank()) {
            throw new BadInputException(file + ": " + place + ": " + node + ", expected a text");
        }
        return node.asText().strip();
    }

    private void readKarpathy(JsonNode image) {
        String own = image.path("split").asText();
        if (own.equals(selection.split()) || (selection.split().equals("train") && own.equals("restval"))) {
            String name = required(image, "filename", "image " + image.path("imgid"));
            String below = image.path("filepath").asText("");
            List<String> sentences = captions.of(below.isEmpty() ? name : below + "/" + name);
            image.path("sentences").forEach(sentence -> sentences.add(required(sentence, "raw", name)));
        }
    }

    private void readCoco(JsonNode images, JsonNode annotations) {
        Map<String, String> names = new LinkedHashMap<>();
        images.forEach(image -> names.put(
                required(image, "id", "an image"), required(image, "file_name", "image " + image.path("id"))));
        names.values().forEach(captions::of);
        int row = 0;
        for (JsonNode annotation : annotations) {
            String id = required(annotation, "image_id", "annotation " + row);
            if (!names.containsKey(id)) {
                throw new BadInputException(file + ": annotation " + row + ": no image of id " + id);
            }
            captions.of(names.get(id)).add(required(annotation, "caption", "annotation " + row));
            row++;
        }
    }

    private String required(JsonNode node, String key, String place) {
        if (!node.path(key).isValueNode()) {
            throw new BadInputException(file + ": " + place + " has no " + key);
        }
        return node.path(key).asText().strip();
    }
}
