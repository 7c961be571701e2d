package dev.diva.posttrain.run;

import dev.diva.BadInputException;
import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.engine.Scopes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/**
 * Latents on disk: safetensors shards in a folder named by the autoencoder, each latent fp32 under the SHA-256 of the bytes of its crop,
 * which stands for image, box and resolution at once. Shards appear whole or not at all, so what was done before a kill stays done; one
 * that is damaged is passed over. {@link #has} may be called from any thread, everything else from one.
 */
public final class LatentCache implements AutoCloseable {
    /** Latents of a full shard. */
    public static final int SHARD = 256;

    private final Path folder;
    private final List<String> damaged;
    private final Map<String, SafetensorsFile> stored = new ConcurrentHashMap<>();
    private final Map<String, Tensor> waiting = new LinkedHashMap<>();

    /**
     * Opens a cache, or starts one.
     *
     * @param autoencoder identity of what makes the latents: its weights, pixels and precision
     */
    public LatentCache(Path cache, String autoencoder) {
        this.folder = cache.resolve(autoencoder.substring(0, 16));
        List<String> problems = new java.util.ArrayList<>();
        try {
            Files.createDirectories(folder);
            for (Path shard : shards()) {
                read(shard, problems);
            }
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be used as a cache: " + e, e);
        }
        this.damaged = List.copyOf(problems);
    }

    private List<Path> shards() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().matches("latents-.*\\.safetensors"))
                    .sorted()
                    .toList();
        }
    }

    private void read(Path shard, List<String> problems) {
        try {
            SafetensorsFile file = SafetensorsFile.open(shard);
            for (TensorInfo info : file.tensors()) {
                stored.put(info.name(), file);
            }
        } catch (CheckpointException e) {
            problems.add(e.getMessage());
        }
    }

    /** Whether a latent is there. */
    public boolean has(String key) {
        return stored.containsKey(key);
    }

    /** Latents that are there. */
    public int size() {
        return stored.size() + waiting.size();
    }

    /** Shards that could not be read, with the reason; their latents are made again. */
    public List<String> damaged() {
        return damaged;
    }

    /** A latent [channels, height, width], or null; owned by the caller's scope and valid until the cache is closed. */
    Tensor get(String key) {
        SafetensorsFile file = stored.get(key);
        if (file != null) {
            return file.read(key);
        }
        Tensor kept = waiting.get(key);
        return kept == null ? null : kept.alias();
    }

    /** Adds a copy of a latent; every so many are written. */
    void put(String key, Tensor latent) {
        if (!waiting.containsKey(key) && !has(key)) {
            waiting.put(key, Scopes.keep(latent.detach().cpu().clone()));
        }
        if (waiting.size() >= SHARD) {
            flush();
        }
    }

    /** Writes what was added, as one more shard, named by its first latent. */
    public void flush() {
        if (waiting.isEmpty()) {
            return;
        }
        String first = waiting.keySet().iterator().next();
        Path shard = folder.resolve("latents-" + first.substring(0, 16) + "-" + waiting.size() + ".safetensors");
        SafetensorsWriter.write(shard, waiting, Map.of("kind", "latents"));
        SafetensorsFile file = SafetensorsFile.open(shard);
        waiting.forEach((key, latent) -> {
            stored.put(key, file);
            Scopes.release(latent);
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
