package dev.diva.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.Sha256;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * Checkpoints of a run, {@code step-00000400/} and so on. Each is written to a temporary folder and renamed, with the SHA-256 of its
 * files; a folder that does not match its sums is passed over.
 */
public final class Checkpoints {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String MASTERS = "masters.safetensors";
    private static final String OPTIMIZER = "optimizer.safetensors";
    private static final String RANDOM = "random.safetensors";
    private static final String STATE = "state.json";
    private static final String SUMS = "checksums.sha256";
    private static final List<String> FILES = List.of(MASTERS, OPTIMIZER, RANDOM, STATE);
    private static final Set<String> OWN = Set.of(MASTERS, OPTIMIZER, RANDOM, STATE, SUMS);

    private final Path folder;
    private final int keepLast;

    public Checkpoints(Path folder, int keepLast) {
        if (keepLast < 1) {
            throw new IllegalArgumentException("keepLast < 1: " + keepLast);
        }
        this.folder = folder;
        this.keepLast = keepLast;
    }

    /**
     * Writes a state and then removes all but the last few checkpoints.
     *
     * @param random states of the random streams to be stored
     * @throws BadInputException when it cannot be written; those that exist are then untouched
     */
    public Path write(TrainState state, Map<String, Tensor> random) {
        Path target = at(state.step());
        AtomicFolder.replace(target, file -> OWN.contains(file.toString()), temporary -> {
            SafetensorsWriter.write(temporary.resolve(MASTERS), state.parameters(), Map.of());
            SafetensorsWriter.write(
                    temporary.resolve(OPTIMIZER), state.optimizer().state(), Map.of());
            SafetensorsWriter.write(temporary.resolve(RANDOM), random, Map.of());
            Files.writeString(temporary.resolve(STATE), "{\"step\": " + state.step() + "}\n");
            Files.writeString(temporary.resolve(SUMS), sums(temporary));
        });
        removeOld();
        return target;
    }

    /** Where the checkpoint after so many steps lies. */
    public Path at(long step) {
        return folder.resolve(String.format(Locale.ROOT, "step-%08d", step));
    }

    /** Steps of a checkpoint, from its name. */
    public static long step(Path checkpoint) {
        return Long.parseLong(checkpoint.getFileName().toString().substring("step-".length()));
    }

    /** Newer ones than the {@link #newestIntact}, whose files do not match their sums. */
    public List<Path> damaged() {
        List<Path> all = list();
        int i = all.size();
        while (i > 0 && !isIntact(all.get(i - 1))) {
            i--;
        }
        return all.subList(i, all.size());
    }

    /** The newest checkpoint whose files match their sums. */
    public Optional<Path> newestIntact() {
        List<Path> all = list();
        for (int i = all.size() - 1; i >= 0; i--) {
            if (isIntact(all.get(i))) {
                return Optional.of(all.get(i));
            }
        }
        return Optional.empty();
    }

    /**
     * Puts a run where a checkpoint was written.
     *
     * @param fresh the run as built from its recipe; its tensors are overwritten
     * @throws BadInputException when the checkpoint holds other tensors
     */
    public static TrainState restore(Path checkpoint, TrainState fresh) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                SafetensorsFile masters = SafetensorsFile.open(checkpoint.resolve(MASTERS));
                SafetensorsFile optimizer = SafetensorsFile.open(checkpoint.resolve(OPTIMIZER));
                SafetensorsFile random = SafetensorsFile.open(checkpoint.resolve(RANDOM))) {
            Map<String, Tensor> stored = read(masters);
            if (!stored.keySet().equals(fresh.parameters().keySet())) {
                throw new BadInputException(checkpoint + ": holds other trained tensors than this run has: "
                        + stored.size() + ", expected " + fresh.parameters().size());
            }
            fresh.parameters().forEach((name, master) -> master.copy_(stored.get(name)));
            fresh.optimizer().restore(read(optimizer));
            fresh.streams().restore(read(random));
            JsonNode json = JSON.readTree(checkpoint.resolve(STATE).toFile());
            return fresh.at(json.required("step").asLong());
        } catch (IOException e) {
            throw new BadInputException(checkpoint + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** The newest checkpoint, whatever its files hold. */
    Optional<Path> newest() {
        List<Path> all = list();
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
    }

    /** All checkpoints, oldest first. */
    List<Path> list() {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(p -> p.getFileName().toString().matches("step-\\d+"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    /** Clones, because some uses outlive the mapping and random states must be owned by libtorch. */
    private static Map<String, Tensor> read(SafetensorsFile file) {
        Map<String, Tensor> tensors = new TreeMap<>();
        for (TensorInfo info : file.tensors()) {
            tensors.put(info.name(), file.read(info.name()).clone());
        }
        return tensors;
    }

    private static String sums(Path checkpoint) throws IOException {
        List<String> lines = new ArrayList<>();
        for (String name : FILES) {
            lines.add(Sha256.of(checkpoint.resolve(name)) + "  " + name);
        }
        return String.join("\n", lines) + "\n";
    }

    private static boolean isIntact(Path checkpoint) {
        try {
            return Files.readString(checkpoint.resolve(SUMS), StandardCharsets.UTF_8)
                    .equals(sums(checkpoint));
        } catch (IOException e) {
            return false;
        }
    }

    private void removeOld() {
        List<Path> all = list();
        all.subList(0, Math.max(0, all.size() - keepLast)).forEach(Checkpoints::remove);
    }

    /** Removes all checkpoints, and the folder if nothing else is in it. */
    public void removeAll() {
        list().forEach(Checkpoints::remove);
        removeIfEmpty(folder);
    }

    /** What somebody else has put into the folder stays there. */
    private static void remove(Path checkpoint) {
        try {
            for (String name : OWN) {
                Files.deleteIfExists(checkpoint.resolve(name));
            }
        } catch (IOException e) {
            throw new BadInputException(checkpoint + ": cannot be removed: " + e.getMessage(), e);
        }
        removeIfEmpty(checkpoint);
    }

    private static void removeIfEmpty(Path folder) {
        try {
            Files.deleteIfExists(folder);
        } catch (DirectoryNotEmptyException e) {
            return; // not ours alone
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be removed: " + e.getMessage(), e);
        }
    }
}
