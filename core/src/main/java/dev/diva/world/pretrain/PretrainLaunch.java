package dev.diva.world.pretrain;

import dev.diva.engine.ProcessGroup;
import java.nio.file.Path;
import java.util.List;

/**
 * How the training of a small model was asked for.
 *
 * @param out folder of the model
 * @param resume whether it must have been begun before; one that was goes on in any case
 * @param processGroup that shares the steps; stays the caller's
 * @param arguments of the command line, for the manifest
 */
public record PretrainLaunch(Path out, boolean resume, ProcessGroup processGroup, List<String> arguments) {
    public PretrainLaunch {
        arguments = List.copyOf(arguments);
    }

    /** In this process alone. */
    public static PretrainLaunch of(Path out) {
        return new PretrainLaunch(out, false, ProcessGroup.single(), List.of());
    }

    /** Where the run is kept: beside the model. */
    Path run() {
        return out.resolveSibling(out.getFileName() + ".training");
    }
}
