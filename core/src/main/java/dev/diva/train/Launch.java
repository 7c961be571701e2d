package dev.diva.train;

import java.nio.file.Path;
import java.util.List;

/**
 * How a run was asked for.
 *
 * @param out its folder
 * @param resume whether it goes on from a checkpoint
 * @param arguments of the command line, for the manifest
 * @param recipeFiles files that the recipe was read from
 */
public record Launch(Path out, boolean resume, List<String> arguments, List<Path> recipeFiles) {
    public Launch {
        arguments = List.copyOf(arguments);
        recipeFiles = List.copyOf(recipeFiles);
    }
}
