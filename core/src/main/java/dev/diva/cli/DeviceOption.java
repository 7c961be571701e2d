package dev.diva.cli;

import dev.diva.engine.Gpu;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** {@code --device} and {@code --tf32} of commands that compute without a recipe. */
final class DeviceOption {
    static final String DEVICE = "Where it computes: cpu, cuda or cuda:1. Default: cpu.";
    static final String TF32 = "Let a GPU multiply fp32 as TF32: faster, with 10 bits behind the point.";

    @Option(names = "--device", defaultValue = "cpu", converter = DeviceName.class, description = DEVICE)
    private String device;

    @Option(names = "--tf32", description = TF32)
    private boolean tf32;

    /** Names of devices on the command line: one that is not there is bad input. */
    static final class DeviceName implements ITypeConverter<String> {
        @Override
        public String convert(String given) {
            Placement.requireDevice(given);
            return given;
        }
    }

    /**
     * The name, once the GPU's products are set.
     *
     * @throws dev.diva.BadInputException for TF32 on a processor
     */
    String name() {
        Gpu.useTf32(device, tf32);
        return device;
    }

    /** The faster format there. */
    Precision fastest() {
        return Precision.fastest(device);
    }

    /** There, with products of that format. */
    Placement placement(Precision precision) {
        return Placement.on(name(), precision);
    }
}
