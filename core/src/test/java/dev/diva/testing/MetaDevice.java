package dev.diva.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.engine.Activations;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import java.util.Map;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;

/**
 * libtorch's device of shapes without values. An operation that mixes it with the processor, reads a value, or calls a kernel of the
 * processor fails, as it would on a GPU; nothing is computed.
 */
public final class MetaDevice {
    private MetaDevice() {}

    public static Placement placement(Precision precision, Activations activations) {
        Device device = new Device("meta");
        device.retainReference();
        return new Placement(device, precision, activations);
    }

    /** Everything learns there, and some of it has gradients, all there. */
    public static void requireGradients(Map<String, Tensor> parameters) {
        assertThat(parameters).isNotEmpty().allSatisfy((name, parameter) -> {
            assertThat(parameter.is_meta()).isTrue();
            assertThat(!parameter.grad().defined() || parameter.grad().is_meta())
                    .isTrue();
        });
        assertThat(parameters.values()).anyMatch(parameter -> parameter.grad().defined());
    }
}
