package dev.diva.cli;

import dev.diva.BadInputException;
import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.Temporary;
import dev.diva.clip.EmbeddingsFile;
import dev.diva.data.ImageSet;
import dev.diva.engine.ProcessGroup;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Images encoded by several processes: each takes a run of whole batches, so that a batch holds the same images as in one process, and
 * writes it beside the target; the first process joins the parts in order.
 */
record SharedEncoding(ProcessGroup processGroup, Path out, int batch) {
    /** Word of the metadata that tells a part from a user's file of that name. */
    static final String PART = "part";

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

    /**
     * Removes what an encoding that was killed left beside the target.
     *
     * @throws BadInputException when something else has the name of a part; it is left alone
     */
    void clean() {
        if (processGroup.isFirst()) {
            List<Path> left = IntStream.range(0, processGroup.worldSize())
                    .mapToObj(this::part)
                    .filter(part -> Files.exists(part, LinkOption.NOFOLLOW_LINKS))
                    .toList();
            left.forEach(SharedEncoding::requirePart);
            left.forEach(part -> Temporary.adopt(part).close());
        }
        processGroup.awaitAll();
    }

    private static void requirePart(Path file) {
        boolean isPart;
        try (SafetensorsFile part = SafetensorsFile.open(file)) {
            isPart = part.metadata().containsKey(PART);
        } catch (CheckpointException e) {
            isPart = false;
        }
        if (!isPart) {
            throw new BadInputException(file + ": has the name of a part of --out and is none; move it away");
        }
    }

    /** Files that are to go with this process: its own part, or in the first process all. */
    List<Temporary> parts() {
        return processGroup.isFirst()
                ? IntStream.range(0, processGroup.worldSize())
                        .mapToObj(rank -> Temporary.adopt(part(rank)))
                        .toList()
                : List.of(Temporary.adopt(part()));
    }
}
