package dev.diva.checkpoint.peft;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** peft's {@code adapter_config.json} of a LoRA, rsLoRA or DoRA; any other kind, and what would change the merged model unseen, is refused. */
final class PeftConfig {
    /** What the names and shapes of the tensors tell as well, or matters to training alone. */
    private static final Set<String> KNOWN = Set.of(
            "peft_type",
            "auto_mapping",
            "base_model_name_or_path",
            "revision",
            "task_type",
            "inference_mode",
            "peft_version",
            "r",
            "lora_alpha",
            "lora_dropout",
            "target_modules",
            "exclude_modules",
            "layers_to_transform",
            "layers_pattern",
            "rank_pattern",
            "alpha_pattern",
            "modules_to_save",
            "bias",
            "fan_in_fan_out", // peft takes it back for linear layers
            "use_rslora",
            "use_dora",
            "lora_bias",
            "init_lora_weights",
            "loftq_config",
            "eva_config",
            "megatron_core",
            "qalora_group_size",
            "runtime_config",
            "ensure_weight_tying");

    private final ConfigJson json;
    private final Map<Pattern, Double> ranks;
    private final Map<Pattern, Double> alphas;

    PeftConfig(Path folder) {
        this.json = ConfigJson.read(folder.resolve(PeftAdapter.CONFIG));
        String kind = json.text("peft_type", "none named");
        if (!kind.equals("LORA")) {
            throw new BadInputException(folder + ": is an adapter of peft of the kind " + kind
                    + "; only LORA (with rsLoRA and DoRA) is read; merge it with peft's merge_and_unload(), save that with"
                    + " save_pretrained(), and give its folder");
        }
        // Other ways to begin change the base as well (PiSSA, OLoRA, LoftQ, CorDA), so that this adapter belongs to
        // that one.
        json.requireOnly(Map.of("init_lora_weights", Set.of("true", "false", "gaussian", "eva", "orthogonal")));
        for (String key : json.keysOtherThan(KNOWN::contains)) {
            JsonNode value = json.node().get(key);
            if (value.isContainerNode() ? !value.isEmpty() : value.asBoolean(true)) {
                throw json.wrong(key, "null: such adapters are not read");
            }
        }
        this.ranks = patterns("rank_pattern");
        this.alphas = patterns("alpha_pattern");
    }

    /** Numbers by a regular expression of the end of a layer's name, in the order of the file. */
    private Map<Pattern, Double> patterns(String key) {
        Map<Pattern, Double> patterns = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : json.node().path(key).properties()) {
            if (!entry.getValue().isNumber()) {
                throw json.at(key).wrong(entry.getKey(), "a number");
            }
            try {
                Pattern layers = Pattern.compile("(.*\\.)?(" + entry.getKey() + ")");
                patterns.put(layers, entry.getValue().asDouble());
            } catch (PatternSyntaxException e) {
                throw new BadInputException(
                        json.location() + ": " + key + ": " + entry.getKey() + " is no regular expression", e);
            }
        }
        return patterns;
    }

    String baseName() {
        return json.text("base_model_name_or_path", "");
    }

    String revision() {
        return json.text("revision", "");
    }

    /** The class that was adapted, or an empty string. */
    String baseClass() {
        return json.at("auto_mapping").text("base_model_class", "");
    }

    boolean isDora() {
        return json.flag("use_dora", false);
    }

    /** The rank that a layer should have. */
    double rank(String layer) {
        return first(ranks, layer, json.number("r", 8));
    }

    /** What the product of a layer's factors is multiplied by. */
    double scale(String layer) {
        double alpha = first(alphas, layer, json.fraction("lora_alpha", 8));
        double rank = rank(layer);
        return alpha / (json.flag("use_rslora", false) ? Math.sqrt(rank) : rank);
    }

    private static double first(Map<Pattern, Double> patterns, String layer, double whenNone) {
        return patterns.entrySet().stream()
                .filter(entry -> entry.getKey().matcher(layer).matches())
                .findFirst()
                .map(Map.Entry::getValue)
                .orElse(whenNone);
    }

    /** The error of a layer whose factors have another rank than the config says. */
    BadInputException wrongRank(String layer, long rank) {
        return new BadInputException(
                json.location() + ": says rank " + (long) rank(layer) + " of " + layer + ", its tensors have " + rank);
    }

    static List<String> files() {
        return List.of("adapter_model.safetensors", "adapter_model.bin");
    }
}
