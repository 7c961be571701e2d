package dev.diva.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.engine.Activations;
import dev.diva.engine.Precision;
import dev.diva.engine.SharedMemory;
import dev.diva.testing.MetaDevice;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Parameters on another device than the processor, to which a checkpoint is read. */
class OptimizerDeviceTest {
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatWasRestoredMovesToItsParameter(boolean isAdam) {
        OptimizerSettings settings =
                isAdam ? new OptimizerSettings.AdamW(0.9, 0.999, 1e-8, 0.1) : new OptimizerSettings.Sgd(0.9, 0.1);
        try (PointerScope scope = new PointerScope();
                Optimizer first = settings.create(SharedMemory.none());
                Optimizer second = settings.create(SharedMemory.none())) {
            Map<String, Tensor> here = Map.of("w", parameter(new Device("cpu")));
            first.update(here, name -> 0.1, 1);
            second.restore(new TreeMap<>(first.state()));
            Map<String, Tensor> there = Map.of(
                    "w",
                    parameter(MetaDevice.placement(Precision.FP32, Activations.KEPT)
                            .device()));
            second.update(there, name -> 0.1, 1);
            assertThat(second.state()).hasSameSizeAs(first.state());
            second.state().forEach((name, value) -> assertThat(value.is_meta()).isEqualTo(!name.endsWith(".step")));
        }
    }

    private static Tensor parameter(Device device) {
        Tensor parameter =
                torch.ones(2, 3).to(device, ScalarType.Float).detach().set_requires_grad(true);
        parameter.sum().backward();
        return parameter;
    }
}
