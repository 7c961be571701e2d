package dev.diva.checkpoint;

import java.util.Collection;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Tensors by name, from wherever they are stored. Models see this, never a file format. Implementations may be read by several
 * threads; the tensors that they hand out must not be written.
 */
public interface TensorSource extends AutoCloseable {
    /** Where the tensors come from, for messages: usually a file. */
    String location();

    /** What is known of every tensor, in the order of the file. */
    Collection<TensorInfo> tensors();

    /** What is known of that tensor, or null when there is none of that name. */
    TensorInfo info(String name);

    /**
     * The tensor in its storage type, without a copy where the format allows it. It belongs to the caller's scope and stays valid until
     * the source is closed.
     *
     * @throws CheckpointException when there is none of that name
     */
    Tensor read(String name);

    /**
     * The same for a caller that converts the tensor at once and never looks at the stored one again: where {@link #read} would map the
     * file, its pages do not stay in the memory of this process.
     */
    default Tensor readOnce(String name) {
        return read(name);
    }

    /**
     * Called with the name and shape that a model expects, before {@link #info} is asked. Files have nothing to do then; a source of
     * new weights makes the tensor.
     */
    default void expect(String name, long... shape) {}

    /** Free text that travels with the tensors, for instance {@code format=pt}. */
    default Map<String, String> metadata() {
        return Map.of();
    }

    @Override
    default void close() {}
}
