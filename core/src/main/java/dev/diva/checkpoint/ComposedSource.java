package dev.diva.checkpoint;

import dev.diva.engine.Scopes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** A model whose tensors lie in several files: later ones replace earlier ones, changes are made when a tensor is read. */
public final class ComposedSource implements TensorSource {
    private final String location;
    private final List<TensorSource> files = new ArrayList<>();
    private final Map<String, Part> parts = new LinkedHashMap<>();

    /** A tensor: where it lies under which name, and what becomes of it in fp32, or null. */
    private record Part(TensorInfo info, TensorSource file, String stored, UnaryOperator<Tensor> change) {}

    /** Of nothing yet. */
    public ComposedSource(String location) {
        this.location = location;
    }

    /**
     * Adds all tensors of a file, which is closed with this.
     *
     * @param names gives our name of a stored one
     */
    public void add(TensorSource file, UnaryOperator<String> names) {
        files.add(file);
        Set<String> added = new HashSet<>();
        for (TensorInfo info : file.tensors()) {
            String name = names.apply(info.name());
            if (!added.add(name)) {
                throw new CheckpointException(
                        file.location() + ": two tensors are " + name + ", one of them " + info.name());
            }
            parts.put(name, new Part(new TensorInfo(name, info.dtype(), info.shape()), file, info.name(), null));
        }
    }

    /** Closes a file with this. */
    public void own(TensorSource file) {
        files.add(file);
    }

    /** Changes a tensor, which is fp32 from then on; several changes are made one after the other. */
    public void change(String name, UnaryOperator<Tensor> change) {
        Part part = parts.get(name);
        UnaryOperator<Tensor> all = part.change == null ? change : stored -> change.apply(part.change.apply(stored));
        TensorInfo changed = new TensorInfo(name, Dtype.F32, part.info.shape());
        parts.put(name, new Part(changed, part.file, part.stored, all));
    }

    /** Those whose names begin with a prefix, without it; closing it closes nothing. */
    public TensorSource under(String prefix) {
        ComposedSource view = new ComposedSource(location);
        parts.forEach((name, part) -> {
            if (name.startsWith(prefix)) {
                String rest = name.substring(prefix.length());
                TensorInfo info = new TensorInfo(rest, part.info.dtype(), part.info.shape());
                view.parts.put(rest, new Part(info, part.file, part.stored, part.change));
            }
        });
        return view;
    }

    /** Those with some names; closing it closes nothing. */
    public TensorSource only(Predicate<String> names) {
        ComposedSource view = new ComposedSource(location);
        parts.forEach((name, part) -> {
            if (names.test(name)) {
                view.parts.put(name, part);
            }
        });
        return view;
    }

    @Override
    public String location() {
        return location;
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return Collections.unmodifiableList(
                parts.values().stream().map(Part::info).toList());
    }

    @Override
    public TensorInfo info(String name) {
        Part part = parts.get(name);
        return part == null ? null : part.info;
    }

    @Override
    public Tensor read(String name) {
        Part part = known(name);
        return part.change == null ? part.file.read(part.stored) : changed(part);
    }

    @Override
    public Tensor readOnce(String name) {
        Part part = known(name);
        return part.change == null ? part.file.readOnce(part.stored) : changed(part);
    }

    private static Tensor changed(Part part) {
        return Scopes.returning(
                () -> part.change.apply(part.file.readOnce(part.stored).to(ScalarType.Float)));
    }

    private Part known(String name) {
        Part part = parts.get(name);
        if (part == null) {
            throw new CheckpointException(location + ": has no tensor " + name);
        }
        return part;
    }

    @Override
    public void close() {
        files.forEach(TensorSource::close);
    }
}
