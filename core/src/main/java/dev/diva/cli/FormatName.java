package dev.diva.cli;

import dev.diva.checkpoint.format.CheckpointFormat;
import picocli.CommandLine.ITypeConverter;

/** Names of layouts on the command line. */
final class FormatName implements ITypeConverter<CheckpointFormat> {
    @Override
    public CheckpointFormat convert(String name) {
        return CheckpointFormat.of(name);
    }
}
