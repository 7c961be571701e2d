package dev.diva.feedback.anchor;

import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.feedback.EmbeddingCenter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.CRC32;
import org.bytedeco.javacpp.PointerScope;

/**
 * Fits a projection to captions in one pass over a file of any length, in memory that does not grow with it. What was summed is kept beside the
 * result from time to time, and when it is stopped, and the same command goes on from there. Captions that are held out are chosen by their words, so
 * that no caption is on both sides.
 */
public final class AnchorRun {
    private static final int AT_ONCE = 256;
    private static final int HELD_OUT = 1000;
    private static final int FEWEST = 20;
    private static final int LEAST_SHARE = 10; // one in so many is held out, or fewer
    private static final int KEEP_EVERY = 40 * AT_ONCE;

    private final Path captions;
    private final Path out;
    private final Captioner captioner;
    private final Map<String, String> inputs;
    private final AtomicBoolean stop = new AtomicBoolean();

    /** Told how far it is. */
    public interface Listener {
        /**
         * So many captions were read.
         *
         * @param total in the file
         */
        void at(long done, long total);
    }

    /** What was found. */
    public record Result(long captions, int tokens, HeldOut heldOut) {}

    /**
     * @param captions a text file, a caption a line
     * @param out file to write
     * @param inputs what the result depends on beside the captions' number, by name; sums of other inputs are not gone on with
     */
    public AnchorRun(Path captions, Path out, Captioner captioner, Map<String, String> inputs) {
        this.captions = captions;
        this.out = out;
        this.captioner = captioner;
        this.inputs = new LinkedHashMap<>(inputs);
    }

    /** Asks for the sums to be kept and a clean end, from any thread. */
    public void stop() {
        stop.set(true);
    }

    /** How many captions a file has. */
    private long countCaptions() {
        long count = 0;
        try (CaptionLines lines = CaptionLines.open(captions)) {
            while (lines.next() != null) {
                count++;
            }
        }
        if (count < FEWEST) {
            throw new BadInputException(captions + ": " + count + " captions; expected at least " + FEWEST
                    + ", and thousands for a projection that is of use");
        }
        return count;
    }

    /**
     * Reads, fits and writes.
     *
     * @param ridge strength of the penalty as a share of the captions' number
     * @param images centre of the embeddings of images, or null
     * @return nothing when it was stopped
     */
    public Optional<Result> run(double ridge, EmbeddingCenter images, Listener listener) {
        long total = countCaptions();
        long every = Math.max(LEAST_SHARE, total / HELD_OUT);
        List<String> heldOut = new ArrayList<>();
        try (Summed summed = summed(total)) {
            if (!sum(summed, every, total, heldOut, listener)) {
                summed.write();
                return Optional.empty();
            }
            if (summed.sums == null || heldOut.isEmpty()) {
                throw new BadInputException(captions + ": of " + total + " captions "
                        + (heldOut.isEmpty() ? "none is left to be held out" : "all are held out")
                        + "; give more that differ");
            }
            AnchorFit fit = AnchorFit.of(summed.sums, ridge);
            HeldOut found = HeldOut.of(fit, captioner, heldOut);
            Map<String, String> metadata = new LinkedHashMap<>(inputs);
            metadata.put("captions", Long.toString(summed.sums.count()));
            metadata.put("ridge", Double.toString(ridge));
            metadata.put("held_out", Integer.toString(found.captions()));
            metadata.put("held_out_cosine", Double.toString(found.cosine()));
            metadata.put("held_out_mean_rank", Double.toString(found.meanRank()));
            fit.write(out, images, metadata);
            Files.deleteIfExists(kept());
            return Optional.of(new Result(summed.sums.count(), fit.lengths().length, found));
        } catch (IOException e) {
            throw new BadInputException(kept() + ": cannot be removed: " + e, e);
        }
    }

    /** False when stopped before the end. */
    private boolean sum(Summed summed, long every, long total, List<String> heldOut, Listener listener) {
        long read = 0;
        List<String> batch = new ArrayList<>();
        try (CaptionLines lines = CaptionLines.open(captions)) {
            for (String text = lines.next(); text != null; text = lines.next()) {
                read++;
                boolean isHeldOut = heldOut.size() < HELD_OUT && hash(text) % every == 0;
                if (isHeldOut) {
                    heldOut.add(text);
                } else if (read > summed.read) {
                    batch.add(text);
                }
                if (batch.size() == AT_ONCE) {
                    summed.add(batch, read);
                    listener.at(read, total);
                    if (stop.get()) {
                        return false;
                    }
                }
            }
        }
        if (!batch.isEmpty()) {
            summed.add(batch, read);
        }
        return !stop.get();
    }

    private static long hash(String text) {
        CRC32 hash = new CRC32();
        hash.update(text.getBytes(StandardCharsets.UTF_8));
        return hash.getValue();
    }

    private Path kept() {
        return out.resolveSibling(out.getFileName() + ".sums");
    }

    private Summed summed(long total) {
        Map<String, String> identity = new LinkedHashMap<>(inputs);
        identity.put("captions_in_file", Long.toString(total));
        Summed summed = new Summed(identity);
        if (Files.exists(kept())) {
            summed.goOn();
        }
        return summed;
    }

    /** Sums with how far in the file they go. */
    private final class Summed implements AutoCloseable {
        private static final String READ = "read";

        private final Map<String, String> identity;
        private AnchorSums sums; // null before the first caption
        private long read;
        private long written;

        Summed(Map<String, String> identity) {
            this.identity = identity;
        }

        void goOn() {
            try (SafetensorsFile file = SafetensorsFile.open(kept())) {
                Map<String, String> found = new LinkedHashMap<>(file.metadata());
                String at = found.remove(READ);
                if (at == null || !found.equals(identity)) {
                    throw new BadInputException(
                            kept() + ": sums of other models or captions; delete it, or choose another" + " --out");
                }
                sums = AnchorSums.read(file);
                read = Long.parseLong(at);
                written = read;
            }
        }

        void add(List<String> batch, long upTo) {
            try (PointerScope scope = new PointerScope()) {
                var embeddings = captioner.embeddings(batch);
                var conditions = captioner.conditions(batch);
                if (sums == null) {
                    sums = AnchorSums.empty(embeddings.size(1), conditions.size(1), conditions.size(2));
                }
                sums.add(embeddings, conditions);
            }
            batch.clear();
            read = upTo;
            if (read - written >= KEEP_EVERY) {
                write();
            }
        }

        void write() {
            if (sums != null) {
                Map<String, String> metadata = new LinkedHashMap<>(identity);
                metadata.put(READ, Long.toString(read));
                sums.write(kept(), metadata);
                written = read;
            }
        }

        @Override
        public void close() {
            if (sums != null) {
                sums.close();
            }
        }
    }
}
