package dev.diva.eval.suite;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.diva.BadInputException;
import dev.diva.NearestName;
import dev.diva.TextFile;
import dev.diva.data.DataFile;
import dev.diva.hub.Address;
import dev.diva.hub.Models;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.StreamSupport;

/** Which models are scored on which data sets. Paths are relative to the current folder. */
public record Suite(List<ModelEntry> models, List<DataEntry> datasets) {
    private static final Set<String> KEYS = Set.of("models", "datasets");
    private static final Set<String> MODEL_KEYS = Set.of("name", "path", "format", "san", "llava", "tower", "answers");
    private static final Set<String> DATA_KEYS = Set.of(
            "name",
            "data",
            "tasks",
            "split",
            "trainSplit",
            "classnames",
            "templates",
            "captions",
            "imageColumn",
            "captionColumn",
            "recallK",
            "shots",
            "set",
            "limit",
            "rules",
            "prompts",
            "judge");

    private static final Set<String> COUNTS = Set.of("shots", "recallK");
    private static final Set<String> LISTS = Set.of("tasks", "recallK", "judge");

    /**
     * A model; named by its file or folder unless a name is given.
     *
     * @param kind what {@code path} is
     * @param format layout of a CLIP, or null to find it
     * @param san of a CLIP: what names its pixels; null for MaskCLIP
     * @param tower of a LLaVA: path of a CLIP, {@code config}, {@code checkpoint}, or null for its own
     */
    public record ModelEntry(String name, Kind kind, Path path, String format, Path san, String tower) {
        /** Whether the model can be asked that. */
        boolean takes(Task task) {
            return (kind == Kind.CLIP) == (task.benchmark() == null);
        }

        /** What records call the weights. */
        String weights() {
            Object other = tower == null ? san : tower;
            return other == null ? path.toString() : path + " + " + other;
        }
    }

    /** What a model is: a CLIP, a LLaVA that answers, or answers that were recorded. */
    public enum Kind {
        CLIP("path"),
        LLAVA("llava"),
        ANSWERS("answers");

        private final String key;

        Kind(String key) {
            this.key = key;
        }
    }

    /**
     * A data set; named by its folder, here or behind an address, unless a name is given.
     *
     * @param options the entry itself, for what single tasks need
     */
    public record DataEntry(String name, DataFile folder, List<Task> tasks, JsonNode options) {
        String text(String key, String whenAbsent) {
            return options.path(key).asText(whenAbsent);
        }
    }

    /**
     * Reads a YAML file.
     *
     * @throws BadInputException for unknown keys, unknown tasks, missing folders or two entries of one name
     */
    public static Suite read(Path file) {
        JsonNode root = parse(file);
        requireKeys(root, KEYS, file.toString());
        List<ModelEntry> models = new ArrayList<>();
        for (JsonNode node : list(root, "models", file)) {
            models.add(model(node, file));
        }
        requireDistinct(models.stream().map(ModelEntry::name).toList(), file);
        List<DataEntry> datasets = datasets(root, file);
        requireTasks(models, datasets, file);
        return new Suite(List.copyOf(models), datasets);
    }

    /**
     * Reads the data sets alone, for models that are named elsewhere; {@code models} may be missing and is passed over.
     *
     * @throws BadInputException as {@link #read}
     */
    public static List<DataEntry> readDatasets(Path file) {
        JsonNode root = parse(file);
        requireKeys(root, KEYS, file.toString());
        return datasets(root, file);
    }

    private static List<DataEntry> datasets(JsonNode root, Path file) {
        List<DataEntry> datasets = new ArrayList<>();
        for (JsonNode node : list(root, "datasets", file)) {
            datasets.add(data(node, file));
        }
        requireDistinct(datasets.stream().map(DataEntry::name).toList(), file);
        return List.copyOf(datasets);
    }

    private static JsonNode parse(Path file) {
        try {
            return new YAMLMapper().readTree(TextFile.read(file));
        } catch (JsonProcessingException e) {
            throw new BadInputException(file + ": not YAML: " + e.getOriginalMessage(), e);
        }
    }

    private static JsonNode list(JsonNode root, String key, Path file) {
        JsonNode list = root.path(key);
        if (!list.isArray() || list.isEmpty()) {
            throw new BadInputException(file + ": expected a list of " + key);
        }
        return list;
    }

    private static ModelEntry model(JsonNode node, Path file) {
        if (node.isTextual()) {
            Path place = existingModel(node.asText(), file);
            return new ModelEntry(Models.label(place), Kind.CLIP, place, null, null, null);
        }
        List<Kind> kinds =
                Arrays.stream(Kind.values()).filter(kind -> node.has(kind.key)).toList();
        String path = kinds.isEmpty() ? "" : node.path(kinds.get(0).key).asText();
        String place = file + " model " + path;
        requireKeys(node, MODEL_KEYS, place);
        if (kinds.size() != 1) {
            throw new BadInputException(place + ": expected one of path (a CLIP), llava, answers");
        }
        Kind kind = kinds.get(0);
        boolean isMixed = (node.has("tower") && kind != Kind.LLAVA)
                || ((node.has("format") || node.has("san")) && kind != Kind.CLIP);
        if (isMixed) {
            throw new BadInputException(place + ": tower goes with llava, format and san with path");
        }
        Path found = existingModel(path, file);
        return new ModelEntry(
                node.path("name").asText(Models.label(found)),
                kind,
                found,
                node.path("format").asText(null),
                node.has("san") ? existing(node.path("san").asText(), file) : null,
                node.path("tower").asText(null));
    }

    private static void requireTasks(List<ModelEntry> models, List<DataEntry> datasets, Path file) {
        for (ModelEntry model : models) {
            if (datasets.stream().noneMatch(data -> data.tasks.stream().anyMatch(model::takes))) {
                throw new BadInputException(
                        file + " model " + model.name + ": no task for it; a CLIP (path) takes mmvp,"
                                + " zeroshot, retrieval, probe and segmentation, a LLaVA and recorded answers take mllm-BENCHMARK");
            }
        }
    }

    private static DataEntry data(JsonNode node, Path file) {
        String path = node.isTextual() ? node.asText() : node.path("data").asText();
        String place = file + " dataset " + node.path("name").asText(path);
        requireKeys(node, DATA_KEYS, place);
        node.properties().forEach(entry -> requireValue(entry.getKey(), entry.getValue(), place));
        DataFile folder = Address.is(path) ? new DataFile(path) : DataFile.of(existing(path, file));
        List<Task> tasks = new ArrayList<>();
        values(node.path("tasks")).forEach(task -> tasks.add(Task.named(task.asText(), place)));
        if (tasks.isEmpty()) {
            tasks.addAll(Task.of(folder, node.has("captions")));
        }
        return new DataEntry(node.path("name").asText(nameOf(path)), folder, List.copyOf(tasks), node);
    }

    /** Models may be named as on the hub. */
    private static Path existingModel(String path, Path file) {
        return existing(path.isEmpty() ? path : Models.resolve(path).toString(), file);
    }

    /** A key of a data set has one value, or several where it is a list. */
    private static void requireValue(String key, JsonNode value, String place) {
        boolean isNumber = COUNTS.contains(key);
        boolean isSound = values(value).stream()
                .allMatch(each -> isNumber
                        ? each.isIntegralNumber() && each.canConvertToInt() && each.asInt() >= 0
                        : each.isValueNode());
        if (!isSound || (value.isContainerNode() && (!LISTS.contains(key) || value.isEmpty()))) {
            throw new BadInputException(place + ": " + key + " is " + value + ", expected "
                    + (isNumber ? "a whole number" : "a name") + (LISTS.contains(key) ? " or a list of them" : ""));
        }
    }

    /** One value, or those of a list. */
    private static List<JsonNode> values(JsonNode node) {
        return node.isValueNode()
                ? List.of(node)
                : StreamSupport.stream(node.spliterator(), false).toList();
    }

    private static Path existing(String path, Path file) {
        if (path.isEmpty() || !Files.exists(Path.of(path))) {
            throw new BadInputException(file + ": \"" + path + "\": no such file or folder");
        }
        return Path.of(path);
    }

    private static String nameOf(String path) {
        if (Address.is(path)) {
            return Address.withoutSecrets(path).replaceFirst("/+$", "").replaceFirst(".*/", "");
        }
        Path name = Path.of(path).normalize().getFileName();
        return name == null ? path : name.toString();
    }

    private static void requireKeys(JsonNode node, Set<String> known, String place) {
        node.fieldNames().forEachRemaining(key -> {
            if (!known.contains(key)) {
                throw new BadInputException(
                        place + ": unknown key " + key + "; did you mean " + NearestName.of(key, known) + "?");
            }
        });
    }

    private static void requireDistinct(List<String> names, Path file) {
        Map<String, String> seen = new HashMap<>();
        for (String name : names) {
            String other = seen.putIfAbsent(Cell.inFile(name), name);
            if (other != null) {
                throw new BadInputException(file + ": two entries named " + name
                        + (other.equals(name) ? "" : " and " + other + ", which files cannot tell apart")
                        + "; give one of them a name of its own");
            }
        }
    }
}
