package dev.diva.engine;

import dev.diva.BadInputException;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.global.torch.DeviceType;

/**
 * Where a model computes, in which format, and what it keeps.
 *
 * @param device where weights and activations live
 * @param precision format of matrix products
 * @param activations what blocks of layers leave behind for the backward pass
 */
public record Placement(Device device, Precision precision, Activations activations) {
    /** @throws BadInputException for int8 on a GPU */
    public Placement {
        if (precision == Precision.INT8 && device.is_cuda()) {
            throw new BadInputException("int8 is multiplied by the processor alone: take it with device cpu, or bf16");
        }
    }

    private static final Pattern DEVICE = Pattern.compile("cpu|cuda(:\\d{1,2})?");

    /** On the processor. */
    public static Placement cpu(Precision precision) {
        Device device = new Device(DeviceType.CPU);
        device.retainReference();
        return new Placement(device, precision, Activations.KEPT);
    }

    /** On a device by its name, where all that autograd asks for is kept. */
    public static Placement on(String device, Precision precision) {
        Device found = Engine.device(device);
        found.retainReference();
        return new Placement(found, precision, Activations.KEPT);
    }

    /** The same device with products of another format. */
    public Placement with(Precision other) {
        return new Placement(device, other, activations);
    }

    /** The same with blocks of layers that keep other activations. */
    public Placement with(Activations other) {
        return new Placement(device, precision, other);
    }

    /**
     * Refuses a name that is none of a device, and a GPU that is not there.
     *
     * @throws BadInputException with what was found
     */
    public static void requireDevice(String name) {
        if (!DEVICE.matcher(name).matches()) {
            throw new BadInputException("device is " + name + ", expected cpu, cuda, or cuda:1 and so on");
        }
        var unused = Engine.device(name);
    }

    /**
     * As recipes say it.
     *
     * @param device {@code cpu}, {@code cuda}, {@code cuda:1}
     * @param precision {@code fp32}, {@code bf16}, or {@code auto} for the faster one
     * @param lowMemory whether activations are computed again in the backward pass
     * @throws BadInputException when there is no such device
     */
    public static Placement of(String device, String precision, boolean lowMemory) {
        Precision chosen = switch (precision) {
            case "fp32" -> Precision.FP32;
            case "bf16" -> Precision.BF16;
            default -> Precision.fastest(device);
        };
        requireDevice(device);
        Activations activations = lowMemory ? Activations.RECOMPUTED : Activations.KEPT;
        return new Placement(on(device, chosen).device, chosen, activations);
    }
}
