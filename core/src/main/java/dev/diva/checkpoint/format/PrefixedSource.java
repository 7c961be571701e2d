package dev.diva.checkpoint.format;

import dev.diva.checkpoint.SourceView;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;

/** Tensors of another source with a prefix less or more before their names. */
final class PrefixedSource {
    private PrefixedSource() {}

    /** Those whose names begin with a prefix, without it. */
    static TensorSource of(TensorSource whole, String prefix) {
        SourceView view = new SourceView(whole);
        for (TensorInfo info : whole.tensors()) {
            if (info.name().startsWith(prefix)) {
                view.put(info.named(info.name().substring(prefix.length())), reader -> reader.read(info.name()));
            }
        }
        return view;
    }

    /** All of them, with a prefix before their names. */
    static TensorSource with(TensorSource stored, String prefix) {
        SourceView view = new SourceView(stored);
        for (TensorInfo info : stored.tensors()) {
            view.put(info.named(prefix + info.name()), reader -> reader.read(info.name()));
        }
        return view;
    }
}
