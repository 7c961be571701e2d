package dev.diva.checkpoint.format;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.SourceView;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The positions of Long-CLIP (arXiv 2403.15378), whose authors store two tables of 248 rows by OpenAI's names: of the one the first 20 rows
 * count, of the other the rest. Joined they are the table of any CLIP of 248 positions.
 */
final class LongTexts {
    private static final String FIRST = "positional_embedding";
    private static final String REST = "positional_embedding_res";
    private static final long KEPT = 20;

    private LongTexts() {}

    /** The same tensors with one table of positions, or the source itself where there is but one. */
    static TensorSource joined(TensorSource stored) {
        TensorInfo rest = stored.info(REST);
        TensorInfo first = stored.info(FIRST);
        if (rest == null) {
            return stored;
        }
        if (first == null || !Arrays.equals(first.shape(), rest.shape()) || rest.shape()[0] <= KEPT) {
            throw new CheckpointException(stored.location() + ": " + rest + " beside " + first
                    + ", expected two tables of" + " one shape and more than " + KEPT + " rows, as of Long-CLIP");
        }
        SourceView view = new SourceView(stored);
        for (TensorInfo info : stored.tensors()) {
            if (info.name().equals(FIRST)) {
                view.put(info, reader -> joined(reader.read(FIRST), reader.read(REST)));
            } else if (!info.name().equals(REST)) {
                view.put(info, reader -> reader.read(info.name()));
            }
        }
        return view;
    }

    private static Tensor joined(Tensor first, Tensor rest) {
        return torch.cat(
                new TensorVector(
                        first.narrow(0, 0, KEPT),
                        rest.narrow(0, KEPT, rest.size(0) - KEPT).to(first.scalar_type())),
                0);
    }
}
