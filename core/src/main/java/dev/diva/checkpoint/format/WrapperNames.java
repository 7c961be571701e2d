package dev.diva.checkpoint.format;

import dev.diva.checkpoint.SourceView;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.util.regex.Pattern;

/** What FSDP, activation checkpoints and torch.compile put between the parts of a name when they wrap a layer. */
final class WrapperNames {
    private static final Pattern WRAPPER =
            Pattern.compile("(?<![^.])(_fsdp_wrapped_module|_checkpoint_wrapped_module|_orig_mod)\\.");

    private WrapperNames() {}

    /**
     * The tensors under the names that they have without wrappers.
     *
     * @throws dev.diva.checkpoint.CheckpointException when two become the same
     */
    static TensorSource removed(TensorSource stored) {
        if (stored.tensors().stream()
                .noneMatch(info -> WRAPPER.matcher(info.name()).find())) {
            return stored;
        }
        SourceView view = new SourceView(stored);
        for (TensorInfo info : stored.tensors()) {
            view.put(info.named(WRAPPER.matcher(info.name()).replaceAll("")), reader -> reader.read(info.name()));
        }
        return view;
    }
}
