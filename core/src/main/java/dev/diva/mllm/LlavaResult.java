package dev.diva.mllm;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.checkpoint.ExportRecord;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.peft.PeftAdapter;
import dev.diva.checkpoint.pickle.StateDictWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Writes what training has made of a LLaVA, in the layout and under the names that LLaVA's code and transformers give it. A folder that it wrote
 * before is replaced.
 */
public final class LlavaResult {
    private static final String PEFT = "base_model.model.";

    /** What tells how a model is asked, and is looked for beside its config. */
    private static final List<String> BESIDE =
            List.of("generation_config.json", "preprocessor_config.json", "processor_config.json");

    private final TrainableLlava model;

    /** @param model stays the caller's */
    public LlavaResult(TrainableLlava model) {
        this.model = model;
    }

    /** {@code mm_projector.bin} and the config, over what it began with. */
    public void writeProjector(Path out) {
        writePart(out, folder -> {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            projector().forEach((name, master) -> tensors.put(name, master));
            StateDictWriter.write(folder.resolve(LlavaFolder.PROJECTOR), tensors);
        });
    }

    /**
     * {@code adapter_config.json}, {@code adapter_model.safetensors}, {@code non_lora_trainables.bin} and the config, over what it began
     * with.
     *
     * @param alpha numerator of the scale
     * @param dropout that it was trained with
     * @param targets last names of the layers
     */
    public void writeAdapter(Path out, double alpha, double dropout, Collection<String> targets) {
        writePart(out, folder -> {
            Map<String, Tensor> factors = new LinkedHashMap<>();
            model.adapters().forEach((layer, adapter) -> {
                String name = PEFT + stored(layer + ".weight").replaceFirst("\\.weight$", "");
                factors.put(name + ".lora_A.weight", adapter.down());
                factors.put(name + ".lora_B.weight", adapter.up());
            });
            SafetensorsWriter.write(folder.resolve("adapter_model.safetensors"), factors, Map.of("format", "pt"));
            Map<String, Tensor> beside = new LinkedHashMap<>();
            projector().forEach((name, master) -> beside.put(PEFT + stored(name), master));
            StateDictWriter.write(folder.resolve(LlavaFolder.TRAINED_BESIDE_ADAPTER), beside);
            Files.writeString(folder.resolve(PeftAdapter.CONFIG), adapterJson(alpha, dropout, targets) + "\n");
        });
    }

    /** A whole model, adapters merged, its tensors in the types that they were stored in. */
    public void writeMerged(Path out) {
        ExportRecord.write(out, true, folder -> {
            try (PointerScope scope = new PointerScope()) {
                LlavaFolder start = model.folder();
                LlavaFolder whole =
                        new LlavaFolder(start.folder(), start.base(), start.weights(), model.config(), start.tensors());
                LlavaSwap.fill(whole, model.towerSource(), model.trained(), folder, out);
            }
        });
    }

    /**
     * Refuses a part that nothing could be read over.
     *
     * @throws BadInputException when it began with a changed language model, or in the hub's layout with another tower
     */
    public void requirePart() {
        String whole = "; set output to merged";
        if (model.isOverAdapter()) {
            throw new BadInputException(model.folder().folder()
                    + ": stands over another model, which a part of this training could not name" + whole);
        }
        String tower = model.start().tower();
        if (model.layout() == LlavaConfig.Layout.HF && tower != null && !Llava.OWN_TOWERS.contains(tower)) {
            throw new BadInputException(model.folder().folder()
                    + ": in this layout the tower is inside, and a part of the model would be read with that one"
                    + whole);
        }
    }

    private void writePart(Path out, AtomicFolder.Body body) {
        ExportRecord.write(out, true, folder -> {
            try (PointerScope scope = new PointerScope()) {
                body.write(folder);
                writeConfig(folder, out);
            }
        });
    }

    private Map<String, Tensor> projector() {
        Map<String, Tensor> projector = new LinkedHashMap<>();
        model.parameters().forEach((name, master) -> {
            if (name.startsWith(LlavaNames.PROJECTOR)) {
                projector.put(name, master);
            }
        });
        return projector;
    }

    /** The name of a tensor in the layout. */
    private String stored(String ours) {
        return model.layout() == LlavaConfig.Layout.HF ? LlavaNames.published(ours) : ours;
    }

    /** Beneath the part. */
    private Path base() {
        LlavaFolder folder = model.folder();
        return (folder.base() == null ? folder.folder() : folder.base())
                .toAbsolutePath()
                .normalize();
    }

    private void writeConfig(Path folder, Path finalPlace) throws IOException {
        ObjectNode config = ((ObjectNode) model.config().json().node()).deepCopy();
        config.put("_name_or_path", base().toString());
        if (model.layout() == LlavaConfig.Layout.ORIGINAL) {
            nameTower(config, folder, finalPlace);
        }
        Files.writeString(folder.resolve("config.json"), config.toPrettyString() + "\n");
        for (String name : BESIDE) {
            for (Path place : List.of(model.folder().folder(), base())) {
                if (Files.exists(place.resolve(name)) && !Files.exists(folder.resolve(name))) {
                    AtomicFile.copy(place.resolve(name), folder.resolve(name));
                }
            }
        }
    }

    private void nameTower(ObjectNode config, Path folder, Path finalPlace) {
        String tower = model.start().tower();
        boolean isOther = tower != null && !Llava.OWN_TOWERS.contains(tower);
        boolean isInner = model.towerSource().checkpoint() == null;
        config.put("unfreeze_mm_vision_tower", isInner);
        if (isOther) {
            model.towerSource().export(folder.resolve(LlavaSwap.TOWER));
            config.put(
                    "mm_vision_tower",
                    finalPlace
                            .toAbsolutePath()
                            .normalize()
                            .resolve(LlavaSwap.TOWER)
                            .toString());
        } else if (!isInner) {
            LlavaFolder.place(model.folder().folder(), model.config().towerName())
                    .ifPresent(place -> config.put(
                            "mm_vision_tower",
                            place.toAbsolutePath().normalize().toString()));
        }
    }

    private String adapterJson(double alpha, double dropout, Collection<String> targets) {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("peft_type", "LORA");
        json.put("task_type", "CAUSAL_LM");
        json.put("base_model_name_or_path", base().toString());
        json.put("bias", "none");
        json.put("fan_in_fan_out", false);
        json.put("inference_mode", true);
        json.put("init_lora_weights", true);
        json.put("lora_alpha", alpha);
        json.put("lora_dropout", dropout);
        json.put("r", model.adapters().values().iterator().next().down().size(0));
        TreeSet<String> sorted = new TreeSet<>(targets);
        if (model.layout() == LlavaConfig.Layout.HF) {
            // By their last names alone the tower's layers would be adapted as well.
            json.put("target_modules", ".*language_model.*\\.(" + String.join("|", sorted) + ")");
        } else {
            sorted.forEach(json.putArray("target_modules")::add);
        }
        return json.toPrettyString();
    }
}
