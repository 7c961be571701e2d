package dev.diva.cli;

import dev.diva.engine.Int8Linear;
import dev.diva.engine.Precision;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Names of precisions on the command line: one that crawls on this machine is bad input. */
final class PrecisionName implements ITypeConverter<Precision> {
    static final String NAMES = "fp32, bf16, or int8 for the layers of image towers. ";

    @Override
    public Precision convert(String name) {
        return switch (name) {
            case "fp32" -> Precision.FP32;
            case "bf16" -> Precision.BF16;
            case "int8" -> {
                Int8Linear.require();
                yield Precision.INT8;
            }
            default -> throw new TypeConversionException("expected fp32, bf16 or int8");
        };
    }
}
