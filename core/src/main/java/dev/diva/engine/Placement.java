package dev.diva.engine;

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
}
