package dev.diva.checkpoint;

import java.util.Map;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

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
        Map<String, Tensor> masters = weights.parameters();
        Map<String, LowRank> adapters = weights.adapters();
        SourceView view = new SourceView(stored);
        for (TensorInfo info : stored.tensors()) {
            String name = info.name();
            LowRank adapter =
                    name.endsWith(WEIGHT) ? adapters.get(name.substring(0, name.length() - WEIGHT.length())) : null;
            view.put(info.asFp32(), reader -> trained(stored, info.asFp32(), masters.get(name), adapter));
        }
        return view;
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
