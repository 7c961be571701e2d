package dev.diva.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.engine.Activations;
import dev.diva.engine.FusedUpdate;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.SharedMemory;
import dev.diva.testing.Close;
import dev.diva.testing.MetaDevice;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
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

    /** The kernel for all parameters has one for processors too: values of the same updates, in other sums. */
    @ParameterizedTest
    @ValueSource(strings = {"adamw", "sgd", "sgd without momentum"})
    void oneKernelForAllUpdatesAsOneAfterTheOther(String kind) {
        try (PointerScope scope = new PointerScope();
                Optimizer single = optimizer(kind, parameter -> false);
                Optimizer fused = optimizer(kind, parameter -> true)) {
            Map<String, Tensor> expected = drawn();
            Map<String, Tensor> updated = drawn();
            for (int step = 0; step < 3; step++) {
                update(single, expected, step);
                update(fused, updated, step);
            }
            expected.forEach((name, value) -> Close.assertClose(updated.get(name), value, 1e-6, 1e-7));
            Map<String, Tensor> state = fused.state();
            assertThat(state.keySet()).isEqualTo(single.state().keySet());
            single.state().forEach((name, value) -> Close.assertClose(state.get(name), value, 1e-6, 1e-7));
        }
    }

    /** Joins late: its moments are corrected by its own count. */
    private static final String LATE = "late";

    private static Optimizer optimizer(String kind, Predicate<Tensor> isFused) {
        return kind.equals("adamw")
                ? new AdamW(
                        new OptimizerSettings.AdamW(0.9, 0.99, 1e-8, 0.1, Set.of("bias")), SharedMemory.none(), isFused)
                : new Sgd(kind.equals("sgd") ? 0.9 : 0, 0.1, SharedMemory.none(), isFused);
    }

    private static void update(Optimizer optimizer, Map<String, Tensor> parameters, int step) {
        RandomStreams streams = new RandomStreams(step);
        parameters.forEach((name, parameter) -> {
            if (step > 0 || !name.equals(LATE)) {
                Tensor gradient = RandomStreams.randn(streams.stream(name), parameter.shape());
                parameter.mutable_grad().put(gradient);
            }
        });
        optimizer.update(parameters, name -> name.equals("bias") ? 0.05 : 0.1, 0.5);
    }

    private static Map<String, Tensor> drawn() {
        RandomStreams streams = new RandomStreams(7);
        Map<String, Tensor> parameters = new TreeMap<>();
        parameters.put("weight", RandomStreams.randn(streams.stream("weight"), 37, 5));
        parameters.put("bias", RandomStreams.randn(streams.stream("bias"), 37));
        parameters.put(LATE, RandomStreams.randn(streams.stream(LATE), 3, 2, 2));
        parameters.values().forEach(parameter -> parameter.set_requires_grad(true));
        return parameters;
    }

    /** An operand that is still on the processor is refused. */
    @Test
    void operandsOfElsewhereAreRefused() {
        try (PointerScope scope = new PointerScope()) {
            Device there =
                    MetaDevice.placement(Precision.FP32, Activations.KEPT).device();
            FusedUpdate.Update update = new FusedUpdate.Update(
                    List.of(torch.ones(2).to(there, ScalarType.Float)), List.of(torch.ones(2)), 1);
            assertThatThrownBy(() -> FusedUpdate.sgd(update, List.of(), 0, 0.1, 0))
                    .hasMessageContaining("not on the device of the others");
        }
    }

    private static Tensor parameter(Device device) {
        Tensor parameter =
                torch.ones(2, 3).to(device, ScalarType.Float).detach().set_requires_grad(true);
        parameter.sum().backward();
        return parameter;
    }
}
