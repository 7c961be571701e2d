package dev.diva.checkpoint.format;

import dev.diva.Placeholder;
import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.pickle.PickleFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Opens a file of tensors by what its first bytes say, whatever its name: safetensors, a file of torch, or an index of shards. */
public final class TensorFile {
    /** diffusers puts the variant between: {@code diffusion_pytorch_model.safetensors.index.fp16.json}. */
    private static final Pattern INDEX = Pattern.compile(".*\\.index(\\.\\w+)?\\.json");

    private TensorFile() {}

    /**
     * Opens one file or one index with all its shards, under the names that are stored, without those of wrappers ({@code
     * _fsdp_wrapped_module}, {@code _checkpoint_wrapped_module}, {@code _orig_mod}).
     *
     * @throws CheckpointException when it is none of these, or damaged
     */
    public static TensorSource open(Path path) {
        TensorSource stored = stored(path);
        try {
            return WrapperNames.removed(stored);
        } catch (CheckpointException e) {
            stored.close();
            throw e;
        }
    }

    /** The same under the names that are stored. */
    static TensorSource stored(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new CheckpointException(path + ": no such file");
        }
        Placeholder.refuse(path);
        if (INDEX.matcher(path.getFileName().toString()).matches()) {
            return ShardedSource.open(path);
        }
        return isTorch(path) ? PickleFile.open(path) : SafetensorsFile.open(path);
    }

    /** A zip archive, or the opcode that begins a pickle. As the length of a safetensors header, either would be beyond its limit. */
    private static boolean isTorch(Path path) {
        try (InputStream in = Files.newInputStream(path)) {
            byte[] start = in.readNBytes(8);
            boolean zip = start.length >= 4 && start[0] == 'P' && start[1] == 'K' && start[2] == 3 && start[3] == 4;
            boolean pickle = start.length >= 2 && (start[0] & 0xff) == 0x80 && start[1] <= 5 && start[1] >= 2;
            boolean safetensors = start.length == 8 && start[5] == 0 && start[6] == 0 && start[7] == 0;
            return zip || (pickle && !safetensors);
        } catch (IOException e) {
            throw new CheckpointException(path + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
