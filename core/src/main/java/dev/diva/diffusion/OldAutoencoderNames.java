package dev.diva.diffusion;

import dev.diva.checkpoint.SourceView;
import dev.diva.checkpoint.TensorSource;
import java.util.Map;

/** An autoencoder of before diffusers 0.14 under today's names: its attention was called {@code query}, {@code key}, {@code value}, {@code proj_attn}. */
final class OldAutoencoderNames {
    private static final Map<String, String> NEW_OF_OLD =
            Map.of("query", "to_q", "key", "to_k", "value", "to_v", "proj_attn", "to_out.0");
    private static final String ATTENTION = ".attentions.0.";

    private OldAutoencoderNames() {}

    /** The source itself where it has today's names. */
    static TensorSource translated(TensorSource stored) {
        boolean isOld =
                stored.tensors().stream().anyMatch(info -> !today(info.name()).equals(info.name()));
        if (!isOld) {
            return stored;
        }
        SourceView view = new SourceView(stored);
        stored.tensors().forEach(info -> view.put(info.named(today(info.name())), reader -> reader.read(info.name())));
        return view;
    }

    private static String today(String name) {
        int start = name.indexOf(ATTENTION);
        if (start < 0) {
            return name;
        }
        int from = start + ATTENTION.length();
        int to = name.lastIndexOf('.');
        String layer = to < from ? "" : name.substring(from, to);
        return NEW_OF_OLD.containsKey(layer)
                ? name.substring(0, from) + NEW_OF_OLD.get(layer) + name.substring(to)
                : name;
    }
}
