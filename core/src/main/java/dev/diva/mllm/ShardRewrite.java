package dev.diva.mllm;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/** Writes a checkpoint anew as safetensors, file by file, with other names and another tower; never more than a tensor is in memory. */
final class ShardRewrite {
    private static final Map<String, String> METADATA = Map.of("format", "pt");

    private final Path weights;
    private final Path target;
    private final UnaryOperator<String> names;
    private final Dtype dtype; // or null
    private final ObjectNode index = new ObjectMapper().createObjectNode();
    private final TensorSource changed; // or null
    private TensorSource tower; // still to be written, or null
    private Dtype common; // of the first real numbers met
    private final Set<String> written = new HashSet<>(); // our names
    private long totalBytes;

    /**
     * Prepares.
     *
     * @param weights file or index
     * @param target folder
     * @param names gives the name to write of one of ours
     * @param changed tensors in place of stored ones or beside them, under our names, in the types of those; null for none
     * @param tower in place of the one inside, under our names; null leaves that out
     * @param dtype of all real numbers; null keeps each as it is
     */
    ShardRewrite(
            Path weights,
            Path target,
            UnaryOperator<String> names,
            TensorSource changed,
            TensorSource tower,
            Dtype dtype) {
        this.weights = weights;
        this.target = target;
        this.names = names;
        this.changed = changed;
        this.tower = tower;
        this.dtype = dtype;
    }

    /** Files of a checkpoint: its shards, or itself. */
    static List<Path> files(Path weights) {
        if (!weights.toString().endsWith(".index.json")) {
            return List.of(weights);
        }
        Set<Path> files = new LinkedHashSet<>();
        ConfigJson.read(weights)
                .node()
                .path("weight_map")
                .forEach(file -> files.add(weights.resolveSibling(file.asText())));
        return List.copyOf(files);
    }

    /** Writes all files, and an index where there are several. */
    void run() throws IOException {
        List<Path> files = files(weights);
        for (int i = 0; i < files.size(); i++) {
            boolean isLast = i == files.size() - 1;
            String name = files.size() == 1
                    ? "model.safetensors"
                    : String.format("model-%05d-of-%05d.safetensors", i + 1, files.size());
            try (TensorSource file = TensorFile.open(files.get(i))) {
                write(name, file, isLast);
            }
        }
        if (files.size() > 1) {
            ObjectNode root = new ObjectMapper().createObjectNode();
            root.putObject("metadata").put("total_size", totalBytes);
            root.set("weight_map", index);
            Files.writeString(target.resolve("model.safetensors.index.json"), root.toPrettyString() + "\n");
        }
    }

    /** A tensor to write, and where it is read. */
    private record Copy(TensorSource source, String stored) {}

    private void write(String name, TensorSource file, boolean isLast) {
        List<TensorInfo> infos = new ArrayList<>();
        Map<String, Copy> copies = new LinkedHashMap<>();
        boolean hasTower = false;
        for (TensorInfo info : file.tensors()) {
            String ours = LlavaNames.ours(info.name());
            boolean isTower = ours.startsWith(LlavaNames.TOWER);
            hasTower |= isTower;
            if (!isTower && !LlavaNames.BUFFERS.matcher(ours).matches()) {
                boolean isChanged = changed != null && changed.info(ours) != null;
                add(
                        names.apply(ours),
                        info,
                        isChanged ? new Copy(changed, ours) : new Copy(file, info.name()),
                        infos,
                        copies);
                common = common == null && info.dtype().isFloating() ? info.dtype() : common;
                written.add(ours);
            }
        }
        if (changed != null && isLast) {
            for (TensorInfo info : changed.tensors()) {
                if (!written.contains(info.name())) {
                    TensorInfo typed = new TensorInfo(info.name(), common, info.shape());
                    add(names.apply(info.name()), typed, new Copy(changed, info.name()), infos, copies);
                }
            }
        }
        if (tower != null && (hasTower || isLast)) {
            for (TensorInfo info : tower.tensors()) {
                add(names.apply(info.name()), info, new Copy(tower, info.name()), infos, copies);
            }
            tower = null;
        }
        for (TensorInfo info : infos) {
            index.put(info.name(), name);
            totalBytes += info.bytes();
        }
        SafetensorsWriter.write(target.resolve(name), infos, info -> read(copies.get(info.name()), info), METADATA);
    }

    private void add(String name, TensorInfo info, Copy copy, List<TensorInfo> infos, Map<String, Copy> copies) {
        boolean isConverted = dtype != null && info.dtype().isFloating();
        infos.add(new TensorInfo(name, isConverted ? dtype : info.dtype(), info.shape()));
        copies.put(name, copy);
    }

    private static Tensor read(Copy copy, TensorInfo info) {
        return copy.source.readOnce(copy.stored).to(info.dtype().scalarType());
    }
}
