package dev.diva.mllm;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.peft.PeftAdapter;
import dev.diva.clip.TowerSource;
import dev.diva.language.LlamaConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a LLaVA folder is, read from its headers and configs without loading it.
 *
 * @param file what holds the tensors
 * @param format layout: llava or llava-hf
 * @param part model, or what a training stage left: projector or adapter
 * @param base folder of the model beneath a part, or null
 * @param language shape of the language model
 * @param tower where the tower is: inside, or the name in the config, or both
 * @param imageTokens places of an image in a prompt, or null where the tower is not here
 * @param tokenizer the file that is followed, or null where there is none
 * @param parameters numbers by part, and their total
 * @param storage bytes by storage type
 * @param broken the first tensor that holds NaN or infinity, in a line, or null
 */
public record LlavaSummary(
        String file,
        String format,
        String part,
        String base,
        LlamaConfig language,
        String tower,
        Long imageTokens,
        String tokenizer,
        Map<String, Long> parameters,
        Map<String, Long> storage,
        String broken) {
    /**
     * Reads configs and tensors.
     *
     * @param base model beneath a part, or null for the one that its config names
     */
    public static LlavaSummary of(Path path, Path base) {
        try (LlavaFolder folder = LlavaFolder.open(path, base)) {
            boolean isAdapter = Files.exists(folder.folder().resolve(PeftAdapter.CONFIG));
            return new LlavaSummary(
                    folder.weights().toString(),
                    folder.config().layout().flag(),
                    folder.base() == null ? "model" : isAdapter ? "adapter" : "projector",
                    folder.base() == null ? null : folder.base().toString(),
                    folder.config().language(),
                    tower(folder),
                    imageTokens(folder),
                    tokenizer(folder),
                    parameters(folder),
                    storage(folder),
                    BrokenWeights.find(folder.weights().toString(), folder.tensors())
                            .orElse(null));
        }
    }

    private static String tower(LlavaFolder folder) {
        String name = folder.config().towerName();
        if (!folder.hasInnerTower()) {
            return name;
        }
        return folder.config().layout() == LlavaConfig.Layout.HF ? "inside" : "inside, and the config names " + name;
    }

    private static Long imageTokens(LlavaFolder folder) {
        try (TowerSource tower = new Towers(folder).open(null)) {
            return tower.config().numPatches() + (folder.config().withClassToken() ? 1 : 0);
        } catch (BadInputException e) {
            return null; // two towers, or one that is not here
        }
    }

    private static String tokenizer(LlavaFolder folder) {
        boolean isHub = folder.config().layout() == LlavaConfig.Layout.HF;
        for (String name : isHub
                ? new String[] {"tokenizer.json", "tokenizer.model"}
                : new String[] {"tokenizer.model", "tokenizer.json"}) {
            if (Files.exists(folder.tokenizerFolder().resolve(name))) {
                return name;
            }
        }
        return null;
    }

    private static Map<String, Long> parameters(LlavaFolder folder) {
        Map<String, Long> parameters = new LinkedHashMap<>();
        long total = 0;
        for (TensorInfo info : folder.tensors().tensors()) {
            if (info.dtype().isFloating()) {
                String part = info.name().startsWith(LlavaNames.TOWER)
                        ? "vision tower"
                        : info.name().startsWith(LlavaNames.PROJECTOR) ? "projector" : "language model";
                parameters.merge(part, info.numel(), Long::sum);
                total += info.numel();
            }
        }
        parameters.put("total", total);
        return parameters;
    }

    private static Map<String, Long> storage(LlavaFolder folder) {
        Map<String, Long> storage = new TreeMap<>();
        for (TensorInfo info : folder.tensors().tensors()) {
            storage.merge(info.dtype().toString(), info.bytes(), Long::sum);
        }
        return storage;
    }
}
