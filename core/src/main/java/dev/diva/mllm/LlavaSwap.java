package dev.diva.mllm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.ComposedSource;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.ExportRecord;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.clip.TowerSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

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
            ".*\\.(safetensors|bin|pt|pth|h5|msgpack|gguf|onnx)|.*\\.index(\\.\\w+)?\\.json|config\\.json|adapter_config\\.json");

    private static final List<String> DTYPE_KEYS = List.of("torch_dtype", "dtype"); // the older name first

    private final LlavaFolder llava;
    private final TowerSource tower;
    private final Dtype dtype;
    private final TensorSource trained; // in place of what is stored, or null

    /**
     * What was written.
     *
     * @param layout of the folder
     * @param dtype of all real numbers in the hub's layout; null in the authors', where each part keeps its own
     * @param notes what was assumed of the tower because no file tells it, a line each
     */
    public record Written(LlavaConfig.Layout layout, Dtype dtype, List<String> notes) {}

    private LlavaSwap(LlavaFolder llava, TowerSource tower, Dtype dtype, TensorSource trained) {
        this.llava = llava;
        this.tower = tower;
        this.dtype = dtype;
        this.trained = trained;
    }

    /** Writes a whole model with what training has made of it into a folder, whose place will be another. */
    static void fill(LlavaFolder llava, TowerSource tower, TensorSource trained, Path folder, Path finalPlace)
            throws IOException {
        boolean isHub = llava.config().layout() == LlavaConfig.Layout.HF;
        new LlavaSwap(llava, tower, isHub ? exactType(llava, tower) : null, trained).fill(folder, finalPlace);
    }

    /**
     * Writes a folder, which appears complete or not at all.
     *
     * @param llava whole model in either layout
     * @param clip CLIP of any layout
     * @param format that layout, or null to find it
     * @param dtype of all real numbers in the hub's layout, whose parts transformers would not compute in different types; null takes the
     *     one that the LLaVA has if it holds every value of the tower, else fp32
     * @param overwrite whether a folder that an earlier swap wrote is replaced
     * @throws BadInputException when the tower's width or number of tokens is not what the projector takes
     */
    public static Written write(
            Path llava, Path clip, CheckpointFormat format, Path out, Dtype dtype, boolean overwrite) {
        ExportRecord.requireReplaceable(out, overwrite);
        try (LlavaFolder folder = LlavaFolder.open(llava, null);
                TowerSource tower = TowerSource.open(clip, format)) {
            if (folder.base() != null) {
                throw new BadInputException(llava + ": stands over another model, " + folder.base()
                        + "; a tower can be put into whole models alone");
            }
            new Towers(folder).requireFit(tower);
            LlavaConfig.Layout layout = folder.config().layout();
            boolean isHub = layout == LlavaConfig.Layout.HF;
            if (!isHub && dtype != null) {
                throw new BadInputException(llava + ": in this layout each part keeps its own type; leave --dtype out");
            }
            Dtype common = isHub && dtype == null ? exactType(folder, tower) : dtype;
            LlavaSwap swap = new LlavaSwap(folder, tower, common, null);
            ExportRecord.write(out, overwrite, temporary -> swap.fill(temporary, out));
            return new Written(layout, common, tower.notes());
        }
    }

    private static Dtype exactType(LlavaFolder folder, TowerSource tower) {
        Set<Dtype> types = folder.withoutTower().tensors().stream()
                .map(TensorInfo::dtype)
                .filter(Dtype::isFloating)
                .collect(Collectors.toSet());
        Dtype only = types.size() == 1 ? types.iterator().next() : Dtype.F32;
        boolean isExact = tower.parts().stream()
                .allMatch(info -> info.dtype() == only || isExact(tower.tensors(), info.name(), only));
        return isExact ? only : Dtype.F32;
    }

    private static boolean isExact(TensorSource tensors, String name, Dtype type) {
        try (PointerScope scope = new PointerScope()) {
            Tensor values = tensors.readOnce(name).to(ScalarType.Float);
            return values.to(type.scalarType()).to(ScalarType.Float).equal(values);
        }
    }

    private void fill(Path folder, Path finalPlace) throws IOException {
        for (Path file : plainFiles()) {
            AtomicFile.copy(file, folder.resolve(file.getFileName()));
        }
        if (llava.config().layout() == LlavaConfig.Layout.HF) {
            inHubLayout(folder);
        } else {
            inAuthorsLayout(folder, finalPlace);
        }
    }

    private List<Path> plainFiles() throws IOException {
        List<Path> plain = new ArrayList<>();
        for (Path folder :
                Stream.of(llava.base(), llava.folder()).filter(Objects::nonNull).toList()) {
            try (Stream<Path> files = Files.list(folder)) {
                files.filter(Files::isRegularFile)
                        .filter(this::isPlain)
                        .sorted()
                        .forEach(plain::add);
            }
        }
        return plain;
    }

    private boolean isPlain(Path file) {
        String name = file.getFileName().toString();
        return name.equals(PROJECTOR)
                ? trained == null
                : !NOT_COPIED.matcher(name).matches();
    }

    private void inHubLayout(Path folder) throws IOException {
        new ShardRewrite(llava.weights(), folder, LlavaNames::published, trained, towerUnderOurNames(), dtype).run();
        ObjectNode config = root(llava.config().json());
        JsonNode old = config.path("vision_config");
        ObjectNode vision = old.isObject() ? (ObjectNode) old : config.putObject("vision_config");
        vision.setAll(tower.configJson());
        String type = dtype == Dtype.F16 ? "float16" : dtype == Dtype.BF16 ? "bfloat16" : "float32";
        DTYPE_KEYS.stream().filter(config::hasNonNull).forEach(key -> config.put(key, type));
        write(folder.resolve("config.json"), config);
        ObjectNode pixels = tower.preprocessorJson();
        Path file = folder.resolve(PREPROCESSOR);
        if (Files.exists(file) && ConfigJson.read(file).has("processor_class")) {
            pixels.set("processor_class", ConfigJson.read(file).node().path("processor_class"));
        }
        write(file, pixels);
        Path processor = folder.resolve("processor_config.json");
        if (Files.exists(processor) && ConfigJson.read(processor).has("patch_size")) {
            write(
                    processor,
                    root(ConfigJson.read(processor))
                            .put("patch_size", tower.config().patchSize()));
        }
    }

    private void inAuthorsLayout(Path folder, Path finalPlace) throws IOException {
        if (llava.hasInnerTower() || trained != null) {
            new ShardRewrite(llava.weights(), folder, name -> name, trained, null, null).run();
        } else {
            for (Path file : ShardRewrite.files(llava.weights())) {
                AtomicFile.copy(file, folder.resolve(file.getFileName()));
            }
            if (llava.weights().toString().endsWith(".index.json")) {
                AtomicFile.copy(llava.weights(), folder.resolve(llava.weights().getFileName()));
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
