package dev.diva.segment.train;

import dev.diva.BadInputException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.TensorFile;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongFunction;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Points of a file, to follow another implementation draw by draw: those of micro-batch P, in the order in which they are asked for, are the
 * tensors {@code P.0}, {@code P.1}, ...
 */
record GivenPoints(TensorSource file) implements LongFunction<PointReading.Draws>, AutoCloseable {
    /**
     * Opens a file.
     *
     * @param microBatches of the run
     * @throws BadInputException when it has none for one of them
     */
    static GivenPoints open(Path path, long microBatches) {
        TensorSource file = TensorFile.open(path);
        for (long position = 0; position < microBatches; position++) {
            if (file.info(position + ".0") == null) {
                file.close();
                throw new BadInputException(path + ": has points for " + position + " micro-batches of " + microBatches
                        + ": no tensor is named " + position + ".0");
            }
        }
        return new GivenPoints(file);
    }

    @Override
    public PointReading.Draws apply(long position) {
        AtomicInteger order = new AtomicInteger();
        return (rows, points) -> {
            String name = position + "." + order.getAndIncrement();
            long[] shape = {rows, points, 2};
            TensorInfo info = file.info(name);
            if (info == null || !Arrays.equals(info.shape(), shape)) {
                throw new BadInputException(file.location() + ": tensor " + name + " is "
                        + (info == null ? "not there" : info) + "; expected points (x, y) in 0..1, "
                        + Arrays.toString(shape));
            }
            return file.read(name).to(ScalarType.Float);
        };
    }

    @Override
    public void close() {
        file.close();
    }
}
