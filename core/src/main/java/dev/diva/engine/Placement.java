package dev.diva.engine;

import dev.diva.BadInputException;
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
    /** On the processor. */
    public static Placement cpu(Precision precision) {
        Device device = new Device(DeviceType.CPU);
        device.retainReference();
        return new Placement(device, precision, Activations.KEPT);
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
            default -> Precision.fastest();
        };
        Device found;
        try {
            found = Engine.device(device);
        } catch (IllegalArgumentException e) {
            throw new BadInputException(e.getMessage(), e);
        }
        found.retainReference();
        return new Placement(found, chosen, lowMemory ? Activations.RECOMPUTED : Activations.KEPT);
    }
}
