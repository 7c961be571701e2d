package dev.diva.checkpoint.format;

import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.SourceView;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.util.Comparator;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A checkpoint of mixed precision with all real numbers in fp32, so that no value changes. OpenAI's archives hold fp16 matrices and fp32
 * norms; transformers would keep each as it is, whatever type it is asked for, and compute in a mixture.
 */
public final class UniformSource {
    private UniformSource() {}

    /** The source itself when its real numbers are of one type already. */
    public static TensorSource of(TensorSource source) {
        Set<Dtype> types = source.tensors().stream()
                .map(TensorInfo::dtype)
                .filter(Dtype::isFloating)
                .collect(Collectors.toSet());
        boolean single = types.size() <= 1
                || types.stream().max(Comparator.comparingInt(Dtype::bytes)).orElseThrow() == Dtype.F64;
        return single ? source : inFp32(source);
    }

    private static TensorSource inFp32(TensorSource mixed) {
        SourceView view = new SourceView(mixed);
        for (TensorInfo info : mixed.tensors()) {
            TensorInfo uniform = info.asFp32();
            view.put(
                    uniform,
                    reader -> reader.read(info.name()).to(uniform.dtype().scalarType()));
        }
        return view;
    }
}
