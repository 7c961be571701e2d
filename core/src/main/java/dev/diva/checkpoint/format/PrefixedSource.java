package dev.diva.checkpoint.format;

import dev.diva.checkpoint.SourceView;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;

/** The tensors of a larger file whose names begin with a prefix, without it. */
final class PrefixedSource {
    private PrefixedSource() {}

    static TensorSource of(TensorSource whole, String prefix) {
        SourceView view = new SourceView(whole);
        for (TensorInfo info : whole.tensors()) {
            if (info.name().startsWith(prefix)) {
                view.put(info.named(info.name().substring(prefix.length())), reader -> reader.read(info.name()));
            }
        }
        return view;
    }
}
