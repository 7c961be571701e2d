package dev.diva.checkpoint;

import java.util.Map;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** A checkpoint in fp32 with the trained tensors in place of the stored ones and adapters merged into their matrices. */
public final class TrainedSource {
    private static final String WEIGHT = ".weight";

    private TrainedSource() {}

    /**
     * Shows a checkpoint as it has become.
     *
     * @param stored what the weights were read from; closes with the result
     * @param weights with masters and adapters
     */
    public static TensorSource of(TensorSource stored, Weights weights) {
        return of(stored, weights, 1);
    }

    /**
     * Shows the average of a checkpoint as it was and as it has become.
     *
     * @param alpha share of what was trained: 1 is that alone
     */
    public static TensorSource of(TensorSource stored, Weights weights, double alpha) {
        Map<String, Tensor> masters = weights.parameters();
        Map<String, LowRank> adapters = weights.adapters();
        SourceView view = new SourceView(stored);
        for (TensorInfo info : stored.tensors()) {
            String name = info.name();
            LowRank adapter =
                    name.endsWith(WEIGHT) ? adapters.get(name.substring(0, name.length() - WEIGHT.length())) : null;
            Tensor master = masters.get(name);
            boolean isAverage = alpha != 1 && (master != null || adapter != null);
            view.put(info.asFp32(), reader -> {
                Tensor trained = trained(stored, info.asFp32(), master, adapter);
                return isAverage ? average(stored, info.asFp32(), trained, alpha) : trained;
            });
        }
        return view;
    }

    private static Tensor average(TensorSource stored, TensorInfo info, Tensor trained, double alpha) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            Tensor before = stored.readOnce(info.name()).to(info.dtype().scalarType());
            return torch.lerp(before, trained, new Scalar(alpha));
        }
    }

    private static Tensor trained(TensorSource stored, TensorInfo info, Tensor master, LowRank adapter) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            Tensor value = master == null
                    ? stored.readOnce(info.name())
                    : master.detach().cpu();
            Tensor converted = value.to(info.dtype().scalarType());
            return adapter == null ? converted : converted.add(adapter.delta().cpu());
        }
    }
}
