package dev.diva.engine;

import java.util.List;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.ListType;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * libtorch's kernels that update all parameters of an optimizer in one go, as {@code torch.optim} calls them with {@code fused=True}. A GPU is
 * asked a few times a step instead of a few times for every parameter; on the processor the sums would have other bits than those of the
 * optimizers here. The binding has no such functions, so they are called by their names.
 */
public final class FusedUpdate {
    private FusedUpdate() {}

    /** Whether a parameter is to be updated by these. */
    public static boolean isFaster(Tensor parameter) {
        return !parameter.is_cpu();
    }

    /**
     * What is updated: tensors of the same places in the lists belong together, and are contiguous.
     *
     * @param parameters fp32, changed
     * @param gradients changed by the factor
     * @param factor what the gradients count
     */
    public record Update(List<Tensor> parameters, List<Tensor> gradients, double factor) {
        public Update {
            parameters = List.copyOf(parameters);
            gradients = gradients.stream().map(Tensor::contiguous).toList();
        }

        private GenericList scaledGradients() {
            GenericList list = list(gradients);
            if (factor != 1) {
                call("aten::_foreach_mul_", "Scalar", new IValue(list), new IValue(new Scalar(factor)));
            }
            return list;
        }
    }

    /**
     * AdamW.
     *
     * @param means first moments, changed
     * @param squares second moments, changed
     * @param count of this update, from 1
     */
    public static void adamW(
            Update update,
            List<Tensor> means,
            List<Tensor> squares,
            long count,
            double rate,
            double decay,
            AdamSettings settings) {
        Tensor first = update.parameters.get(0);
        if (first.is_meta()) {
            requireThere(update.parameters, update.gradients, means, squares);
            return;
        }
        TensorOptions there = new TensorOptions(ScalarType.Float).device(new DeviceOptional(first.device()));
        Tensor step = torch.full(new long[] {}, new Scalar((double) count), there);
        call(
                "aten::_fused_adamw_",
                "",
                new IValue(list(update.parameters)),
                new IValue(update.scaledGradients()),
                new IValue(list(means)),
                new IValue(list(squares)),
                new IValue(list(List.of())), // of AMSGrad
                new IValue(list(update.parameters.stream().map(each -> step).toList())),
                new IValue(rate),
                new IValue(settings.beta1),
                new IValue(settings.beta2),
                new IValue(decay),
                new IValue(settings.eps),
                new IValue(false), // AMSGrad
                new IValue(false), // maximise
                new IValue(),
                new IValue());
    }

    /** What all parameters of an AdamW share. */
    public record AdamSettings(double beta1, double beta2, double eps) {}

    /**
     * Stochastic gradient descent.
     *
     * @param momenta changed; empty without momentum
     */
    public static void sgd(Update update, List<Tensor> momenta, double momentum, double rate, double decay) {
        if (update.parameters.get(0).is_meta()) {
            requireThere(update.parameters, update.gradients, momenta);
            return;
        }
        call(
                "aten::_fused_sgd_",
                "",
                new IValue(list(update.parameters)),
                new IValue(update.scaledGradients()),
                new IValue(list(momenta)),
                new IValue(decay),
                new IValue(momentum),
                new IValue(rate),
                new IValue(0.0), // dampening
                new IValue(false), // Nesterov
                new IValue(false), // maximise
                new IValue(false), // first step: momenta are there, zeros at first
                new IValue(),
                new IValue());
    }

    /** libtorch has no shapes for these kernels; operands of elsewhere are refused, as by a GPU. */
    @SafeVarargs
    private static void requireThere(List<Tensor>... operands) {
        for (List<Tensor> tensors : operands) {
            Tensor unused = Kernels.of(new long[] {}, tensors.toArray(Tensor[]::new));
        }
    }

    private static GenericList list(List<Tensor> tensors) {
        GenericList list = new GenericList(ListType.ofTensors().containedType(0));
        tensors.forEach(tensor -> list.push_back(new IValue(tensor)));
        return list;
    }

    private static void call(String name, String overload, IValue... arguments) {
        Dispatcher.singleton().findSchemaOrThrow(name, overload).callBoxed(new IValueVector(arguments));
    }
}
