package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.ExportRecord;
import dev.diva.checkpoint.SourceView;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Averages of an untouched CLIP and a trained one, weight by weight (Wortsman et al. 2022): part of a gain without all of its price.
 *
 * @param untouched whose layout the averages have
 * @param trained of the same shape, in any layout
 */
public record ClipBlend(ClipCheckpoint untouched, ClipCheckpoint trained) {
    /**
     * Checks that both are of one shape.
     *
     * @throws BadInputException naming what one of them has alone
     */
    public ClipBlend {
        VisionConfig was = new ClipFiles(untouched).config().vision();
        VisionConfig is = new ClipFiles(trained).config().vision();
        requireTensors(untouched, trained);
        requireTensors(trained, untouched);
        if (!was.equals(is)) {
            throw new BadInputException(trained.file() + ": its image tower is " + is + ", that of " + untouched.file()
                    + " is " + was + "; a blend is of a CLIP and what was trained from it");
        }
    }

    /** Buffers that only some versions of the libraries save are no weights. */
    private static void requireTensors(ClipCheckpoint one, ClipCheckpoint other) {
        for (TensorInfo info : one.tensors().tensors()) {
            TensorInfo there = other.tensors().info(info.name());
            if (info.dtype().isFloating() && (there == null || !Arrays.equals(info.shape(), there.shape()))) {
                throw new BadInputException(
                        other.file() + ": " + (there == null ? "has no " + info.name() : there.toString()) + ", "
                                + one.file() + " has " + info + "; a blend is of a CLIP and what was trained from it");
            }
        }
    }

    /** Where the averages go: the folder itself for one, and {@code alpha-A} in it for each of several. */
    public static List<Path> folders(List<Double> alphas, Path out) {
        return alphas.size() == 1
                ? List.of(out)
                : alphas.stream().map(alpha -> out.resolve("alpha-" + alpha)).toList();
    }

    /**
     * Writes a model for each share, in the layout of the untouched one, with real numbers in fp32.
     *
     * @param alphas shares of the trained model: 0 is the untouched one, 1 the trained one
     * @param overwrite whether earlier exports are replaced
     * @return the folders
     * @throws BadInputException before anything is written when a folder would replace something else
     */
    public List<Path> write(List<Double> alphas, Path out, boolean overwrite) {
        List<Path> folders = folders(alphas, out);
        folders.forEach(folder -> ExportRecord.requireReplaceable(folder, overwrite));
        List<Path> written = new ArrayList<>();
        for (int i = 0; i < alphas.size(); i++) {
            ClipExport.export(untouched, average(alphas.get(i)), layout(), folders.get(i), overwrite);
            written.add(folders.get(i));
        }
        return written;
    }

    /** Layout of the averages. */
    public CheckpointFormat layout() {
        return untouched.format() == CheckpointFormat.DIVA ? CheckpointFormat.OPEN_CLIP : untouched.format();
    }

    private TensorSource average(double alpha) {
        SourceView view = new SourceView(untouched.tensors());
        for (TensorInfo info : untouched.tensors().tensors()) {
            if (info.dtype().isFloating()) {
                view.put(info.asFp32(), reader -> average(info.name(), alpha));
            }
        }
        return view;
    }

    private Tensor average(String name, double alpha) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            Tensor from = untouched.tensors().readOnce(name).to(ScalarType.Float);
            Tensor to = trained.tensors().readOnce(name).to(ScalarType.Float);
            BrokenWeights.refuse(trained.file().toString(), name, to);
            return torch.lerp(from, to, new Scalar(alpha));
        }
    }
}
