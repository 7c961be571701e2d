package dev.diva.checkpoint.peft;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.ExportRecord;
import dev.diva.checkpoint.LowRank;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.hub.HubName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/** Writes trained low-rank adapters as peft does. */
public final class PeftWriter {
    private static final String WEIGHTS = "adapter_model.safetensors";

    private PeftWriter() {}

    /**
     * The model that is adapted.
     *
     * @param place its folder or file; one in the hub's cache is named as the hub does
     * @param type its class in transformers
     * @param module where transformers has that
     */
    public record Base(Path place, String type, String module) {}

    /**
     * Writes a folder, which appears complete or not at all; one that was written before is replaced.
     *
     * @param adapters by the name of their layer in the model
     * @param share of the trained change: 1 is all of it
     * @param biases of adapted layers that were trained, by name; empty for none
     */
    public static void write(
            Path folder, Base base, Map<String, LowRank> adapters, double share, Map<String, Tensor> biases) {
        ExportRecord.write(folder, true, temporary -> {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            adapters.forEach((layer, adapter) -> {
                tensors.put(PeftAdapter.PREFIX + layer + ".lora_A.weight", adapter.down());
                tensors.put(PeftAdapter.PREFIX + layer + ".lora_B.weight", adapter.up());
            });
            // Under the name that the bias has once its layer is wrapped: under another peft would pass it over.
            biases.forEach((name, bias) ->
                    tensors.put(PeftAdapter.PREFIX + name.replaceFirst("\\.bias$", ".base_layer.bias"), bias));
            SafetensorsWriter.write(temporary.resolve(WEIGHTS), tensors, Map.of("format", "pt"));
            Files.writeString(
                    temporary.resolve(PeftAdapter.CONFIG),
                    config(base, adapters, share, !biases.isEmpty()).toPrettyString() + "\n");
        });
    }

    private static ObjectNode config(Base base, Map<String, LowRank> adapters, double share, boolean biases) {
        LowRank first = adapters.values().iterator().next();
        long rank = first.down().size(0);
        ObjectNode config = new ObjectMapper().createObjectNode();
        config.put("peft_type", "LORA");
        config.putNull("task_type");
        config.putObject("auto_mapping").put("base_model_class", base.type()).put("parent_library", base.module());
        Optional<HubName> hub = HubName.of(base.place());
        config.put(
                "base_model_name_or_path",
                hub.map(HubName::id)
                        .orElse(base.place().toAbsolutePath().normalize().toString()));
        config.put("revision", hub.map(HubName::revision).orElse(null));
        config.put("r", rank);
        config.put("lora_alpha", first.scale() * rank * share);
        config.put("lora_dropout", 0.0);
        config.put("bias", biases ? "lora_only" : "none");
        config.put("fan_in_fan_out", false);
        config.put("use_rslora", false);
        config.put("use_dora", false);
        config.put("inference_mode", true);
        config.put("init_lora_weights", true);
        adapters.keySet().forEach(config.putArray("target_modules")::add);
        return config;
    }

    /**
     * Copies a folder that {@link #write} has made.
     *
     * @param overwrite whether an earlier export is replaced
     * @throws BadInputException when there is none
     */
    public static void copy(Path from, Path out, boolean overwrite) {
        if (!Files.isRegularFile(from.resolve(PeftAdapter.CONFIG))) {
            throw new BadInputException(from
                    + ": not there; a run has it whose trainable.mode was lora and whose clip was a" + " whole model");
        }
        ExportRecord.write(out, overwrite, temporary -> {
            for (String name : List.of(PeftAdapter.CONFIG, WEIGHTS)) {
                AtomicFile.copy(from.resolve(name), temporary.resolve(name));
            }
        });
    }
}
