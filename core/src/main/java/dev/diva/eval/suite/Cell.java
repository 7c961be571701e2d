package dev.diva.eval.suite;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.eval.Evaluation;
import dev.diva.eval.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * One model on one data set at one task, as a file with the fields of CLIP_benchmark's JSON (dataset, model, pretrained, task, metrics,
 * language) and after them those of {@code diva eval --json}. {@code answers} holds a 0 or 1 per item, what paired tests rest on.
 */
final class Cell {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Cell() {}

    static Path file(Path folder, Suite.ModelEntry model, Suite.DataEntry data, Task task) {
        String name = data.name() + "_" + model.name() + "_" + task.recordName() + ".json";
        return folder.resolve(inFile(name));
    }

    /** A name with what no file system minds. */
    static String inFile(String name) {
        return name.replaceAll("[^A-Za-z0-9._@-]", "-");
    }

    static ObjectNode json(Suite.ModelEntry model, Suite.DataEntry data, Task task, Result result) {
        ObjectNode node = JSON.createObjectNode()
                .put("dataset", data.name())
                .put("model", model.name())
                .put("pretrained", model.weights())
                .put("task", task.recordName())
                .put("language", "en");
        ObjectNode ours = (ObjectNode) new Evaluation(task.suiteName(), List.of(result), List.of())
                .toJson()
                .path("results")
                .path(0);
        node.set("metrics", ours.remove("metrics"));
        ours.remove("model");
        node.setAll(ours);
        ObjectNode answers = node.putObject("answers");
        result.answers().forEach((metric, sheet) -> answers.put(metric, digits(sheet)));
        return node;
    }

    private static String digits(boolean[] sheet) {
        StringBuilder digits = new StringBuilder(sheet.length);
        for (boolean right : sheet) {
            digits.append(right ? '1' : '0');
        }
        return digits.toString();
    }

    static boolean[] sheet(JsonNode cell, String metric) {
        String digits = cell.path("answers").path(metric).asText();
        boolean[] sheet = new boolean[digits.length()];
        for (int i = 0; i < sheet.length; i++) {
            sheet[i] = digits.charAt(i) == '1';
        }
        return sheet;
    }

    /** Refuses to put a cell where another kind of file is. */
    static void requireOurs(Path file) {
        if (Files.exists(file) && !(read(file).has("dataset") && read(file).has("metrics"))) {
            throw new BadInputException(file + ": is no cell of a suite and is not replaced; choose another --out");
        }
    }

    static void write(Path file, JsonNode cell) {
        AtomicFile.writeString(file, cell.toPrettyString() + "\n");
    }

    /** A cell of an earlier call; BadInputException when the file is no whole JSON. */
    static JsonNode read(Path file) {
        try {
            return JSON.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new BadInputException(file + ": not JSON: " + e.getOriginalMessage() + "; delete it", e);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
