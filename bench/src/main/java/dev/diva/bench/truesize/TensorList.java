package dev.diva.bench.truesize;

import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.TensorInfo;
import java.util.ArrayList;
import java.util.List;

/** The fp16 tensors of a model under construction, seen under a prefix. */
final class TensorList {
    private final List<TensorInfo> infos;
    private final String prefix;

    TensorList() {
        this(new ArrayList<>(), "");
    }

    private TensorList(List<TensorInfo> infos, String prefix) {
        this.infos = infos;
        this.prefix = prefix;
    }

    /** The same list under {@code name.}. */
    TensorList at(String name) {
        return new TensorList(infos, prefix + name + ".");
    }

    TensorList at(String name, int index) {
        return at(name + "." + index);
    }

    /** Everything that was added under any prefix. */
    List<TensorInfo> infos() {
        return List.copyOf(infos);
    }

    void tensor(String name, long... shape) {
        infos.add(new TensorInfo(prefix + name, Dtype.F16, shape));
    }

    void matrix(String name, long in, long out) {
        tensor(name + ".weight", out, in);
    }

    void linear(String name, long in, long out) {
        matrix(name, in, out);
        tensor(name + ".bias", out);
    }

    void conv(String name, long in, long out, long kernel) {
        tensor(name + ".weight", out, in, kernel, kernel);
        tensor(name + ".bias", out);
    }

    void norm(String name, long width) {
        tensor(name + ".weight", width);
        tensor(name + ".bias", width);
    }
}
