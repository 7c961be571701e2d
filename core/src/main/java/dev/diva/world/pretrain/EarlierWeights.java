package dev.diva.world.pretrain;

import dev.diva.checkpoint.DrawnWeights;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/** Weights of earlier trainings where there are any, new ones where there are none. */
final class EarlierWeights implements TensorSource {
    private final DrawnWeights drawn;
    private final Map<String, Stored> stored = new LinkedHashMap<>();

    private record Stored(SafetensorsFile file, TensorInfo info) {}

    EarlierWeights(DrawnWeights drawn) {
        this.drawn = drawn;
    }

    /** Takes what a file holds under a prefix, and shows it under another. */
    EarlierWeights with(Path file, String prefix, String shown) {
        SafetensorsFile tensors = SafetensorsFile.open(file);
        for (TensorInfo info : tensors.tensors()) {
            if (info.name().startsWith(prefix)) {
                stored.put(shown + info.name().substring(prefix.length()), new Stored(tensors, info));
            }
        }
        return this;
    }

    @Override
    public void expect(String name, long... shape) {
        if (!stored.containsKey(name)) {
            drawn.expect(name, shape);
        }
    }

    @Override
    public String location() {
        return stored.isEmpty()
                ? drawn.location()
                : stored.values().iterator().next().file.location();
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return Stream.concat(stored.keySet().stream().map(this::info), drawn.tensors().stream())
                .toList();
    }

    @Override
    public TensorInfo info(String name) {
        Stored earlier = stored.get(name);
        return earlier == null ? drawn.info(name) : new TensorInfo(name, earlier.info.dtype(), earlier.info.shape());
    }

    @Override
    public Tensor read(String name) {
        Stored earlier = stored.get(name);
        return earlier == null ? drawn.read(name) : earlier.file.read(earlier.info.name());
    }

    @Override
    public void close() {
        stored.values().stream().map(Stored::file).distinct().forEach(SafetensorsFile::close);
    }
}
