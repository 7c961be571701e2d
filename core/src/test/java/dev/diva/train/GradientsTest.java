package dev.diva.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

class GradientsTest {
    private static final float[] FACTORS = {1.5f, -0.1f, 3e-8f}; // the last two are no bf16 numbers

    @Test
    void whatIsNoMoreThanBf16IsKeptAsBf16AndComesBackToTheBit() {
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> parameters = parameters();
            try (Gradients gradients = new Gradients(parameters, true)) {
                for (int step = 0; step < 2; step++) {
                    backward(parameters);
                    gradients.finish();
                    assertThat(parameters.get("half").grad().defined()).isFalse();
                    assertThat(parameters.get("full").grad().defined()).isTrue();
                    assertThat(given(gradients, parameters)).isEqualTo(List.of("half " + half(1), "full " + full(1)));
                    assertThat(gradients.norm(parameters).values()[0]).isEqualTo(plainNorm(1));
                    gradients.clear();
                    assertThat(given(gradients, parameters)).isEmpty();
                }
            }
        }
    }

    @Test
    void passesOfOneStepAddUpAsInFp32() {
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> parameters = parameters();
            try (Gradients gradients = new Gradients(parameters, true)) {
                for (int pass = 0; pass < 3; pass++) {
                    backward(parameters);
                }
                gradients.finish();
                assertThat(given(gradients, parameters)).isEqualTo(List.of("half " + half(3), "full " + full(3)));
                assertThat(gradients.norm(parameters).values()[0]).isEqualTo(plainNorm(3));
            }
        }
    }

    @Test
    void aKeptGradientThatIsNotFiniteIsNamed() {
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> parameters = parameters();
            try (Gradients gradients = new Gradients(parameters, true)) {
                parameters
                        .get("half")
                        .mul(new Scalar(Double.POSITIVE_INFINITY))
                        .sum()
                        .backward();
                gradients.finish();
                assertThat(parameters.get("half").grad().defined()).isFalse();
                assertThat(gradients.notFinite(parameters)).contains("half");
                assertThat(gradients.norm(parameters).values()[0]).isInfinite();
            }
        }
    }

    private static Map<String, Tensor> parameters() {
        Map<String, Tensor> parameters = new LinkedHashMap<>();
        for (String name : List.of("half", "full")) {
            parameters.put(name, Tensors.of(new float[] {1, 2, 3}, 3).set_requires_grad(true));
        }
        return parameters;
    }

    /** As through a product in bf16, and as through a norm in fp32. */
    private static void backward(Map<String, Tensor> parameters) {
        Tensor factors = Tensors.of(FACTORS, 3);
        Tensor half = parameters.get("half").to(ScalarType.BFloat16).mul(factors.to(ScalarType.BFloat16));
        half.to(ScalarType.Float)
                .sum()
                .add(parameters.get("full").mul(factors).sum())
                .backward();
    }

    private static List<String> given(Gradients gradients, Map<String, Tensor> parameters) {
        List<String> given = new ArrayList<>();
        gradients.with(
                parameters,
                some -> some.forEach((name, parameter) -> {
                    if (parameter.grad().defined()) {
                        given.add(name + " " + Arrays.toString(Tensors.toFloats(parameter.grad())));
                    }
                }));
        return given;
    }

    private static String half(int passes) {
        float[] rounded =
                Tensors.toFloats(Tensors.of(FACTORS, 3).to(ScalarType.BFloat16).to(ScalarType.Float));
        return sums(rounded, passes);
    }

    private static String full(int passes) {
        return sums(FACTORS, passes);
    }

    private static String sums(float[] once, int passes) {
        float[] sums = new float[once.length];
        for (int pass = 0; pass < passes; pass++) {
            for (int i = 0; i < sums.length; i++) {
                sums[i] += once[i];
            }
        }
        return Arrays.toString(sums);
    }

    /** Of the gradients that autograd leaves where nothing is kept otherwise. */
    private static double plainNorm(int passes) {
        Map<String, Tensor> parameters = parameters();
        try (Gradients gradients = new Gradients(parameters, false)) {
            for (int pass = 0; pass < passes; pass++) {
                backward(parameters);
            }
            gradients.finish();
            return gradients.norm(parameters).values()[0];
        }
    }
}
