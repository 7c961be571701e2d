package dev.diva.checkpoint;

import dev.diva.BadInputException;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/**
 * Frozen weights kept in a folder as they are computed with: in their type, kernels channels last. Converted once, they are mapped ever
 * after, so that a program starts sooner and the processes of a machine share them.
 *
 * <p>Files are told apart by paths, sizes and times of change of what they were made from. They may be deleted at any time.
 */
public final class ConvertedWeights {
    private static final String FORMAT = "1";
    /** Ends the names of kernels [out, in, height, width] that are stored as [out, height, width, in]. */
    private static final String CHANNELS_LAST = ".channels_last";

    private final Path folder;
    private volatile String problem; // or null

    /** @param folder made when it is needed */
    public ConvertedWeights(Path folder) {
        this.folder = folder;
    }

    /**
     * Weights of a model that computes on the processor, from the folder where they are there and whole, otherwise converted now. Where none needs
     * conversion, or the folder cannot be written, they are those that were stored.
     *
     * @param stored opens them as they were stored
     * @param files in which they are stored
     * @param construction reads all that the model needs, and so decides about types and layouts
     */
    public Weights frozen(
            Supplier<TensorSource> stored,
            Collection<Path> files,
            Placement placement,
            Function<Weights, ?> construction) {
        try {
            Path file = folder.resolve(name(files, placement.precision()));
            SafetensorsFile kept = whole(file);
            if (kept == null) {
                if (!isConversionNeeded(stored, placement)) {
                    return Weights.frozen(stored.get(), placement);
                }
                convert(file, stored, placement, construction);
                kept = SafetensorsFile.open(file);
            }
            return Weights.frozen(laidOut(kept), placement);
        } catch (IOException | BadInputException e) {
            Weights asStored = Weights.frozen(stored.get(), placement); // if they are at fault, they say so themselves
            String reason = e instanceof BadInputException ? e.getMessage() : "the folder cannot be written";
            problem = "weights cache " + folder + " is not used: " + reason;
            return asStored;
        }
    }

    /** Why the folder was of no use, if it was not. */
    public Optional<String> problem() {
        return Optional.ofNullable(problem);
    }

    /** The file, or null where there is none or its header describes more bytes than it has: it is made, or made again. */
    private static SafetensorsFile whole(Path file) {
        try {
            return Files.exists(file) ? SafetensorsFile.open(file) : null;
        } catch (CheckpointException e) {
            return null;
        }
    }

    private static boolean isConversionNeeded(Supplier<TensorSource> stored, Placement placement) {
        if (!placement.device().is_cpu()) {
            return false;
        }
        Dtype type = Dtype.of(placement.precision().dtype());
        try (TensorSource source = stored.get()) {
            return type == Dtype.BF16 // whose kernels are laid out anew
                    || source.tensors().stream().anyMatch(info -> info.shape().length > 1 && info.dtype() != type);
        }
    }

    private static String name(Collection<Path> files, Precision precision) throws IOException {
        StringBuilder identity = new StringBuilder(FORMAT).append(precision);
        for (Path file : new TreeSet<>(files)) {
            identity.append('\n').append(file.toRealPath());
            identity.append(' ').append(Files.size(file)).append(' ').append(Files.getLastModifiedTime(file));
        }
        return UUID.nameUUIDFromBytes(identity.toString().getBytes(StandardCharsets.UTF_8)) + ".safetensors";
    }

    /** One process converts, others that begin beside it wait for it. */
    private static synchronized void convert(
            Path file, Supplier<TensorSource> stored, Placement placement, Function<Weights, ?> construction)
            throws IOException {
        Files.createDirectories(file.getParent());
        Path lock = file.resolveSibling("lock");
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.lock(); // until the channel is closed
            try (SafetensorsFile made = whole(file)) {
                if (made != null) {
                    return;
                }
            }
            deleteUnfinished(file);
            try (Weights weights = Weights.frozen(stored.get(), placement)) {
                var unused = construction.apply(weights); // the tensors are what it is built for
                weights.finish();
                Map<String, Tensor> tensors = new LinkedHashMap<>();
                weights.tensors().forEach((name, tensor) -> {
                    boolean isLaidOut = !tensor.is_contiguous();
                    tensors.put(isLaidOut ? name + CHANNELS_LAST : name, isLaidOut ? outerToInner(tensor) : tensor);
                });
                SafetensorsWriter.write(file, tensors, Map.of());
            }
        }
    }

    /** What a process left that was killed while it wrote. */
    private static void deleteUnfinished(Path file) throws IOException {
        try (DirectoryStream<Path> unfinished =
                Files.newDirectoryStream(file.getParent(), "." + file.getFileName() + "*.tmp")) {
            for (Path path : unfinished) {
                Files.delete(path);
            }
        }
    }

    /** [out, in, height, width] to [out, height, width, in]. */
    private static Tensor outerToInner(Tensor kernel) {
        if (!kernel.is_contiguous(MemoryFormat.ChannelsLast)) {
            throw new IllegalStateException("frozen weights are dense or channels last");
        }
        return kernel.permute(0, 2, 3, 1);
    }

    /** A converted file under the names and shapes of the checkpoint. */
    private static TensorSource laidOut(TensorSource file) {
        SourceView view = new SourceView(file);
        for (TensorInfo info : file.tensors()) {
            if (info.name().endsWith(CHANNELS_LAST)) {
                long[] s = info.shape();
                String name = info.name().substring(0, info.name().length() - CHANNELS_LAST.length());
                view.put(
                        new TensorInfo(name, info.dtype(), s[0], s[3], s[1], s[2]),
                        reader -> reader.read(info.name()).permute(0, 3, 1, 2));
            } else {
                view.put(info, reader -> reader.read(info.name()));
            }
        }
        return view;
    }
}
