package dev.diva.engine;

import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.global.torch.DeviceType;

/**
 * Where a model computes and in which format.
 *
 * @param device where weights and activations live
 * @param precision format of matrix products
 */
public record Placement(Device device, Precision precision) {
    /** On the processor. */
    public static Placement cpu(Precision precision) {
        Device device = new Device(DeviceType.CPU);
        device.retainReference();
        return new Placement(device, precision);
    }
}
