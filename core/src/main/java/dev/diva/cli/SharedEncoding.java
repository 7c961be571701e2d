package dev.diva.cli;

import dev.diva.BadInputException;
import dev.diva.clip.EmbeddingsFile;
import dev.diva.data.ImageSet;
import dev.diva.engine.ProcessGroup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Images encoded by several processes: each takes a run of whole batches, so that a batch holds the same images as in one process, and
 * writes it beside the target; the first process joins the parts in order.
 */
record SharedEncoding(ProcessGroup processGroup, Path out, int batch) {
    boolean isShared() {
        return processGroup.worldSize() > 1;
    }

    /** The images of this process. */
    ImageSet mine(ImageSet all) {
        long batches = (all.size() + batch - 1L) / batch;
        if (batches < processGroup.worldSize()) {
            throw new BadInputException(processGroup.worldSize() + " processes for " + batches + " batches of " + batch
                    + " images; use fewer processes or a smaller --batch");
        }
        return new ImageSet(all.entries()
                .subList(start(batches, processGroup.rank(), all), start(batches, processGroup.rank() + 1, all)));
    }

    private int start(long batches, int rank, ImageSet all) {
        return (int) Math.min(all.size(), batches * rank / processGroup.worldSize() * batch);
    }

    /** File of this process. */
    Path part() {
        return part(processGroup.rank());
    }

    private Path part(int rank) {
        return out.resolveSibling("." + out.getFileName() + ".part-" + rank + ".safetensors");
    }

    /** Waits for all parts and, in the first process, appends them in order. */
    void join(EmbeddingsFile file) {
        processGroup.awaitAll();
        if (processGroup.isFirst()) {
            for (int rank = 0; rank < processGroup.worldSize(); rank++) {
                file.appendPart(part(rank));
            }
        }
    }

    /** Removes what a process left beside the target. */
    void clean() {
        try {
            if (isShared() && processGroup.isFirst()) {
                for (int rank = 0; rank < processGroup.worldSize(); rank++) {
                    Files.deleteIfExists(part(rank));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
