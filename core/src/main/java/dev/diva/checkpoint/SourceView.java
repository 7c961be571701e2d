package dev.diva.checkpoint;

import dev.diva.engine.Scopes;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Tensors of another source under other names, types or shapes; what was not put in is not there. It closes with the other source. */
public final class SourceView implements TensorSource {
    private final TensorSource whole;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    /** Makes a tensor from tensors of the other source. */
    public interface Making {
        Tensor from(Reader whole);
    }

    /** A tensor of the other source by its name there. */
    public interface Reader {
        Tensor read(String name);
    }

    private record Entry(TensorInfo info, Making making) {}

    /** Of nothing yet. */
    public SourceView(TensorSource whole) {
        this.whole = whole;
    }

    /**
     * Shows a tensor; the order is that of {@link #tensors}.
     *
     * @throws CheckpointException when one of that name is there already
     */
    public void put(TensorInfo info, Making making) {
        if (entries.put(info.name(), new Entry(info, making)) != null) {
            throw new CheckpointException(location() + ": two tensors become " + info.name());
        }
    }

    @Override
    public String location() {
        return whole.location();
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return entries.values().stream().map(Entry::info).toList();
    }

    @Override
    public TensorInfo info(String name) {
        Entry entry = entries.get(name);
        return entry == null ? null : entry.info();
    }

    @Override
    public Tensor read(String name) {
        return made(name, whole::read);
    }

    @Override
    public Tensor readOnce(String name) {
        return made(name, whole::readOnce);
    }

    private Tensor made(String name, Reader reader) {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new CheckpointException(location() + ": has no tensor " + name);
        }
        return Scopes.returning(() -> entry.making.from(reader));
    }

    @Override
    public Map<String, String> metadata() {
        return whole.metadata();
    }

    @Override
    public void close() {
        whole.close();
    }
}
