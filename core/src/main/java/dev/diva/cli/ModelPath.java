package dev.diva.cli;

import dev.diva.hub.Models;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;

/** A model on the command line: a file, a folder, or its name on the hub. */
final class ModelPath implements ITypeConverter<Path> {
    @Override
    public Path convert(String given) {
        return Models.resolve(given);
    }
}
