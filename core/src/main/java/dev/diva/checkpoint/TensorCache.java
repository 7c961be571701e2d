package dev.diva.checkpoint;

import dev.diva.BadInputException;
import dev.diva.engine.Scopes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/**
 * Tensors that are dear to compute, on disk: safetensors shards in a folder named by what makes them, each tensor fp32 under a key that
 * stands for all that it was made from. Shards appear whole or not at all, so what was done before a kill stays done; one that is damaged is
 * passed over. {@link #has} may be called from any thread, everything else from one.
 */
public final class TensorCache implements AutoCloseable {
    private final Path folder;
    private final String kind;
    private final int shard;
    private final List<String> damaged;
    private final Map<String, SafetensorsFile> stored = new ConcurrentHashMap<>();
    private final Map<String, Tensor> waiting = new LinkedHashMap<>();

    /**
     * Opens a cache, or starts one.
     *
     * @param maker identity of what makes the tensors: weights, pixels, precision
     * @param kind of tensors, the beginning of the shards' names
     * @param shard tensors of a full shard
     */
    public TensorCache(Path cache, String maker, String kind, int shard) {
        requireFolder(cache);
        this.folder = cache.resolve(maker.substring(0, 16));
        this.kind = kind;
        this.shard = shard;
        List<String> problems = new ArrayList<>();
        try {
            Files.createDirectories(folder);
            for (Path file : shards()) {
                read(file, problems);
            }
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be used as a cache: " + e.getMessage(), e);
        }
        this.damaged = List.copyOf(problems);
    }

    /**
     * Refuses a place that cannot become a folder.
     *
     * @throws BadInputException naming the file that is there
     */
    public static void requireFolder(Path cache) {
        for (Path place = cache.toAbsolutePath(); place != null; place = place.getParent()) {
            if (Files.exists(place) && !Files.isDirectory(place)) {
                throw new BadInputException(
                        cache + ": cannot be used as a cache: " + place + " is a file; name a folder, or a new one");
            }
        }
    }

    private List<Path> shards() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().matches(kind + "-.*\\.safetensors"))
                    .sorted()
                    .toList();
        }
    }

    private void read(Path file, List<String> problems) {
        try {
            SafetensorsFile opened = SafetensorsFile.open(file);
            for (TensorInfo info : opened.tensors()) {
                stored.put(info.name(), opened);
            }
        } catch (CheckpointException e) {
            problems.add(e.getMessage());
        }
    }

    /** Whether a tensor is there. */
    public boolean has(String key) {
        return stored.containsKey(key);
    }

    /** Tensors that are there. */
    public int size() {
        return stored.size() + waiting.size();
    }

    /** Shards that could not be read, with the reason; their tensors are made again. */
    public List<String> damaged() {
        return damaged;
    }

    /** A tensor, or null; owned by the caller's scope and valid until the cache is closed. */
    public Tensor get(String key) {
        SafetensorsFile file = stored.get(key);
        if (file != null) {
            return file.read(key);
        }
        Tensor kept = waiting.get(key);
        return kept == null ? null : kept.alias();
    }

    /** Adds a copy of a tensor; every so many are written. */
    public void put(String key, Tensor tensor) {
        if (!waiting.containsKey(key) && !has(key)) {
            waiting.put(key, Scopes.keep(tensor.detach().cpu().clone()));
        }
        if (waiting.size() >= shard) {
            flush();
        }
    }

    /** Writes what was added, as one more shard, named by its first tensor. */
    public void flush() {
        if (waiting.isEmpty()) {
            return;
        }
        String first = waiting.keySet().iterator().next();
        Path path = folder.resolve(kind + "-" + first.substring(0, 16) + "-" + waiting.size() + ".safetensors");
        SafetensorsWriter.write(path, waiting, Map.of("kind", kind));
        SafetensorsFile file = SafetensorsFile.open(path);
        waiting.forEach((key, tensor) -> {
            stored.put(key, file);
            Scopes.release(tensor);
        });
        waiting.clear();
    }

    @Override
    public void close() {
        flush();
        stored.values().stream().distinct().forEach(SafetensorsFile::close);
        stored.clear();
    }
}
