package dev.diva.checkpoint.format;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Tensors spread over several files, as an index ({@code *.index.json}) says. Files outside the folder of the index are refused. */
final class ShardedSource implements TensorSource {
    private static final long MAX_INDEX_BYTES = 1 << 26;

    private final Path index;
    private final Map<String, TensorSource> owners = new LinkedHashMap<>();
    private final Map<String, TensorSource> shards = new LinkedHashMap<>();

    private ShardedSource(Path index) {
        this.index = index;
    }

    static ShardedSource open(Path index) {
        ShardedSource source = new ShardedSource(index);
        try {
            source.openAll();
            return source;
        } catch (RuntimeException e) {
            source.close();
            throw e;
        }
    }

    private void openAll() {
        JsonNode map = weightMap();
        List<String> missing = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            TensorSource shard = shards.computeIfAbsent(entry.getValue().asText(), this::openShard);
            if (shard.info(entry.getKey()) == null) {
                missing.add(entry.getKey() + " in " + entry.getValue().asText());
            }
            owners.put(entry.getKey(), shard);
        }
        if (!missing.isEmpty()) {
            throw new CheckpointException(index + ": tensors of the index are missing: " + String.join("; ", missing));
        }
        for (TensorSource shard : shards.values()) {
            for (TensorInfo info : shard.tensors()) {
                if (owners.get(info.name()) != shard) {
                    throw new CheckpointException(index + ": does not list " + info + " of " + shard.location());
                }
            }
        }
    }

    private JsonNode weightMap() {
        try {
            if (Files.size(index) > MAX_INDEX_BYTES) {
                throw new CheckpointException(index + ": has " + Files.size(index) + " bytes: too many for an index");
            }
            JsonNode map =
                    new ObjectMapper().readTree(Files.readAllBytes(index)).path("weight_map");
            if (!map.isObject() || map.isEmpty()) {
                throw new CheckpointException(index + ": has no weight_map");
            }
            return map;
        } catch (IOException e) {
            throw new CheckpointException(index + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private TensorSource openShard(String file) {
        Path folder = index.toAbsolutePath().getParent();
        boolean plain = !file.isEmpty()
                && !file.contains("/")
                && !file.contains("\\")
                && !file.contains("..")
                && file.chars().noneMatch(c -> c < ' ');
        if (!plain || file.endsWith(".json")) {
            throw new CheckpointException(
                    index + ": names the shard " + file + ", which is not a file beside the index");
        }
        return TensorFile.stored(folder.resolve(file));
    }

    @Override
    public String location() {
        return index.toString();
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return Collections.unmodifiableList(owners.entrySet().stream()
                .map(e -> e.getValue().info(e.getKey()))
                .toList());
    }

    @Override
    public TensorInfo info(String name) {
        TensorSource owner = owners.get(name);
        return owner == null ? null : owner.info(name);
    }

    @Override
    public Tensor read(String name) {
        return owner(name).read(name);
    }

    @Override
    public Tensor readOnce(String name) {
        return owner(name).readOnce(name);
    }

    private TensorSource owner(String name) {
        TensorSource owner = owners.get(name);
        if (owner == null) {
            throw new CheckpointException(index + ": has no tensor " + name);
        }
        return owner;
    }

    @Override
    public Map<String, String> metadata() {
        return shards.values().iterator().next().metadata();
    }

    @Override
    public void close() {
        shards.values().forEach(TensorSource::close);
    }
}
