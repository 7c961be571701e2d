package dev.diva.checkpoint.format;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/**
 * A CLIP whose image tower comes from a file that holds nothing else: the state dictionary of {@code model.visual} without its prefix, as
 * un2CLIP publishes it. Every tensor of the base's tower is replaced, or nothing is.
 */
final class VisualSource implements TensorSource {
    private static final String PREFIX = "visual.";
    /** Where training programs put it, beside optimizer states and the like. */
    private static final List<String> CONTAINERS = List.of("", "state_dict.", "model.", "module.");

    private final TensorSource base;
    private final TensorSource tower;
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();

    private VisualSource(TensorSource base, TensorSource tower) {
        this.base = base;
        this.tower = tower;
        base.tensors().forEach(info -> infos.put(info.name(), info));
        tower.tensors().forEach(info -> infos.put(info.name(), info));
    }

    /**
     * The base under our names with another image tower.
     *
     * @throws CheckpointException naming every tensor that is missing, misshapen or without a place in the base
     */
    static TensorSource over(TensorSource base, Path file) {
        TensorSource stored = TensorFile.open(file);
        try {
            TensorSource tower = translated(stored)
                    .orElseThrow(() -> new CheckpointException(file + ": no image tower alone in it: expected the state"
                            + " dictionary of model.visual of OpenAI or open_clip, which begins with conv1.weight and"
                            + " the like; a whole CLIP is given with --clip"));
            requireFit(base, tower, file);
            return new VisualSource(base, tower);
        } catch (RuntimeException e) {
            stored.close();
            throw e;
        }
    }

    /** Whether a file holds an image tower alone. */
    static boolean isIn(TensorSource stored) {
        return translated(stored).isPresent();
    }

    private static Optional<TensorSource> translated(TensorSource stored) {
        for (NameTable table : List.of(NameTable.OPENAI, NameTable.TIMM_SIGLIP, NameTable.MOBILECLIP_B)) {
            String anchor = table.anchor().substring(PREFIX.length());
            for (String container : CONTAINERS) {
                TensorSource held = container.isEmpty() ? stored : PrefixedSource.of(stored, container);
                TensorSource inner = Unwrapped.of(held, anchor);
                if (inner.info(anchor) != null) {
                    TensorSource whole = PrefixedSource.with(inner, PREFIX);
                    NameTable variant = table.is(NameTable.TIMM_SIGLIP)
                            ? NameTable.marked(NameTable.TIMM_CLIP, whole, "", table)
                            : table;
                    return Optional.of(TranslatedSource.toOurs(whole, variant));
                }
            }
        }
        return Optional.empty();
    }

    private static void requireFit(TensorSource base, TensorSource tower, Path file) {
        TreeSet<String> problems = new TreeSet<>();
        base.tensors().stream()
                .filter(info -> isOfTower(info.name()) && tower.info(info.name()) == null)
                .forEach(info -> problems.add("missing " + info));
        for (TensorInfo info : tower.tensors()) {
            TensorInfo old = base.info(info.name());
            if (old == null || !isOfTower(info.name())) {
                problems.add("unused " + info);
            } else if (!Arrays.equals(old.shape(), info.shape())) {
                problems.add(info + ", expected " + Arrays.toString(old.shape()));
            }
        }
        if (!problems.isEmpty()) {
            throw new CheckpointException(file + ": is not the image tower of " + base.location() + ": "
                    + String.join("; ", problems.stream().limit(10).toList())
                    + (problems.size() > 10 ? "; and " + (problems.size() - 10) + " more" : "")
                    + "; nothing was loaded");
        }
    }

    private static boolean isOfTower(String name) {
        return Stream.of("vision_model.", "visual_projection.").anyMatch(name::startsWith)
                && !name.endsWith(".position_ids");
    }

    private TensorSource of(String name) {
        return tower.info(name) == null ? base : tower;
    }

    @Override
    public String location() {
        return base.location() + " with the image tower of " + tower.location();
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return Collections.unmodifiableCollection(infos.values());
    }

    @Override
    public TensorInfo info(String name) {
        return infos.get(name);
    }

    @Override
    public Tensor read(String name) {
        return of(name).read(name);
    }

    @Override
    public Tensor readOnce(String name) {
        return of(name).readOnce(name);
    }

    @Override
    public Map<String, String> metadata() {
        return base.metadata();
    }

    @Override
    public void close() {
        tower.close();
        base.close();
    }
}
