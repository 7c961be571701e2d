package dev.diva.mllm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.TensorSource;
import dev.diva.clip.TowerSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Writes a LLaVA with another tower, as its own code loads it: in the authors' layout the config names a folder of the CLIP, which lies inside the
 * new one; in the hub's layout the tower's tensors take the place of the old ones, under the names that every version of transformers reads.
 */
public final class LlavaSwap {
    /** Where the tower lies in the authors' layout. */
    public static final String TOWER = "vision_tower";

    private static final String PREPROCESSOR = "preprocessor_config.json";
    private static final String PROJECTOR = "mm_projector.bin";
    /** Weights of any library, which would hold the old tower, and what is written anew. */
    private static final Pattern NOT_COPIED = Pattern.compile(
            ".*\\.(safetensors|bin|pt|pth|h5|msgpack|gguf|onnx)|.*\\.index(\\.\\w+)?\\.json|config\\.json");

    private final LlavaFolder llava;
    private final TowerSource tower;

    private LlavaSwap(LlavaFolder llava, TowerSource tower) {
        this.llava = llava;
        this.tower = tower;
    }

    /**
     * Writes a folder, which appears complete or not at all.
     *
     * @param llava whole model in either layout
     * @param clip CLIP of any layout
     * @param overwrite whether an existing folder is replaced
     * @throws BadInputException when the tower's width or number of tokens is not what the projector takes
     */
    public static LlavaConfig.Layout write(Path llava, Path clip, Path out, boolean overwrite) {
        AtomicFolder.requireFree(out, overwrite);
        try (LlavaFolder folder = LlavaFolder.open(llava, null);
                TowerSource tower = TowerSource.open(clip)) {
            if (folder.base() != null) {
                throw new BadInputException(llava + ": stands over another model, " + folder.base()
                        + "; a tower can be put into whole models alone");
            }
            new Towers(folder).requireFit(tower);
            LlavaSwap swap = new LlavaSwap(folder, tower);
            AtomicFolder.write(out, overwrite, temporary -> swap.fill(temporary, out));
            return folder.config().layout();
        }
    }

    private void fill(Path folder, Path finalPlace) throws IOException {
        for (Path file : plainFiles()) {
            Files.copy(file, folder.resolve(file.getFileName()));
        }
        if (llava.config().layout() == LlavaConfig.Layout.HF) {
            inHubLayout(folder);
        } else {
            inAuthorsLayout(folder, finalPlace);
        }
    }

    private List<Path> plainFiles() throws IOException {
        try (Stream<Path> files = Files.list(llava.folder())) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> file.getFileName().toString().equals(PROJECTOR)
                            || !NOT_COPIED.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .toList();
        }
    }

    private void inHubLayout(Path folder) throws IOException {
        new ShardRewrite(llava.weights(), folder, LlavaNames::published, towerUnderOurNames()).run();
        ObjectNode config = root(llava.config().json());
        JsonNode old = config.path("vision_config");
        ObjectNode vision = old.isObject() ? (ObjectNode) old : config.putObject("vision_config");
        vision.setAll(tower.configJson());
        write(folder.resolve("config.json"), config);
        ObjectNode pixels = tower.preprocessorJson();
        Path file = folder.resolve(PREPROCESSOR);
        if (Files.exists(file) && ConfigJson.read(file).has("processor_class")) {
            pixels.set("processor_class", ConfigJson.read(file).node().path("processor_class"));
        }
        write(file, pixels);
        Path processor = folder.resolve("processor_config.json");
        if (Files.exists(processor) && ConfigJson.read(processor).has("patch_size")) {
            write(processor, root(ConfigJson.read(processor)).put("patch_size", tower.config().patchSize()));
        }
    }

    private void inAuthorsLayout(Path folder, Path finalPlace) throws IOException {
        if (llava.hasInnerTower()) {
            new ShardRewrite(llava.weights(), folder, name -> name, null).run();
        } else {
            for (Path file : ShardRewrite.files(llava.weights())) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
            if (llava.weights().toString().endsWith(".index.json")) {
                Files.copy(llava.weights(), folder.resolve(llava.weights().getFileName()));
            }
        }
        tower.export(folder.resolve(TOWER));
        ObjectNode config = root(llava.config().json());
        // LLaVA takes a path as it stands, relative to wherever it runs.
        config.put(
                "mm_vision_tower",
                finalPlace.toAbsolutePath().normalize().resolve(TOWER).toString());
        config.put("unfreeze_mm_vision_tower", false); // true would have the checkpoint searched for a tower
        write(folder.resolve("config.json"), config);
    }

    private static ObjectNode root(ConfigJson json) {
        return ((ObjectNode) json.node()).deepCopy();
    }

    private static void write(Path file, JsonNode json) throws IOException {
        Files.writeString(file, json.toPrettyString() + "\n");
    }

    /** The tensors of the tower as those of a LLaVA. */
    private TensorSource towerUnderOurNames() {
        Set<String> parts = tower.parts().stream()
                .map(info -> LlavaNames.TOWER + info.name())
                .collect(Collectors.toSet());
        ComposedSource all = new ComposedSource(tower.location());
        all.add(tower.tensors(), name -> LlavaNames.TOWER + name);
        return all.only(parts::contains);
    }
}
