package dev.diva.mllm;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.LowRank;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** peft's folder of low-rank changes, as LLaVA's LoRA stage writes it: {@code adapter_config.json}, {@code adapter_model.*}. */
final class Adapter {
    static final String CONFIG = "adapter_config.json";
    private static final List<String> FILES = List.of("adapter_model.safetensors", "adapter_model.bin");
    private static final Pattern NAME =
            Pattern.compile("base_model\\.model\\.(?<layer>.+)\\.lora_(?<side>[AB])(\\.default)?\\.weight");

    private final Path folder;
    private final ConfigJson config;

    Adapter(Path folder) {
        this.folder = folder;
        this.config = ConfigJson.read(folder.resolve(CONFIG));
        config.requireOnly(Map.of(
                "peft_type", Set.of("LORA"),
                "bias", Set.of("none"),
                "fan_in_fan_out", Set.of("false"),
                "use_rslora", Set.of("false"),
                "use_dora", Set.of("false")));
        for (String key : List.of("rank_pattern", "alpha_pattern", "modules_to_save", "layer_replication")) {
            if (!config.node().path(key).isEmpty()) {
                throw config.wrong(key, "nothing: such adapters are not read");
            }
        }
    }

    /** What it calls the model that it changes. */
    String baseName() {
        return config.text("base_model_name_or_path", "");
    }

    /**
     * Merges its changes.
     *
     * @return the file, which has to stay open as long as the model is read
     * @throws BadInputException when a change does not fit the model: it was trained over another
     */
    TensorSource mergeInto(ComposedSource model) {
        TensorSource file = TensorFile.open(FILES.stream()
                .map(folder::resolve)
                .filter(Files::isRegularFile)
                .findFirst()
                .orElseThrow(() -> new BadInputException(folder + ": has " + CONFIG + " but none of " + FILES)));
        try {
            double alpha = config.fraction("lora_alpha", 8);
            for (Map.Entry<String, Pair> layer : pairs(file).entrySet()) {
                model.merge(layer.getKey(), change(file, layer.getValue(), alpha, model.info(layer.getKey()), model));
            }
            return file;
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /** Stored names of both factors of a change. */
    private record Pair(String down, String up) {}

    private static Map<String, Pair> pairs(TensorSource file) {
        Map<String, Pair> pairs = new LinkedHashMap<>();
        for (TensorInfo info : file.tensors()) {
            Matcher matcher = NAME.matcher(info.name());
            if (!matcher.matches()) {
                throw new BadInputException(file.location() + ": " + info + " is no low-rank change of a layer");
            }
            boolean isDown = matcher.group("side").equals("A");
            pairs.merge(
                    LlavaNames.ours(matcher.group("layer") + ".weight"),
                    new Pair(isDown ? info.name() : null, isDown ? null : info.name()),
                    (one, other) ->
                            new Pair(one.down == null ? other.down : one.down, one.up == null ? other.up : one.up));
        }
        pairs.forEach((layer, pair) -> {
            if (pair.down == null || pair.up == null) {
                throw new BadInputException(file.location() + ": the change of " + layer + " lacks lora_"
                        + (pair.down == null ? "A" : "B"));
            }
        });
        return pairs;
    }

    private static Supplier<Tensor> change(
            TensorSource file, Pair pair, double alpha, TensorInfo target, ComposedSource model) {
        TensorInfo down = file.info(pair.down);
        TensorInfo up = file.info(pair.up);
        long[] shape = down.shape().length == 2 && up.shape().length == 2
                ? new long[] {up.shape()[0], down.shape()[1]}
                : new long[0];
        if (target == null || !Arrays.equals(shape, target.shape()) || up.shape()[1] != down.shape()[0]) {
            throw new BadInputException(file.location() + ": " + pair.down + " changes a matrix "
                    + Arrays.toString(shape) + ", " + model.location() + " has "
                    + (target == null ? "none there" : target)
                    + ": the adapter belongs to another base; name it with --base");
        }
        double scale = alpha / down.shape()[0];
        return () -> new LowRank(read(file, pair.down), read(file, pair.up), scale, UnaryOperator.identity()).delta();
    }

    private static Tensor read(TensorSource file, String name) {
        return file.read(name).to(ScalarType.Float);
    }
}
