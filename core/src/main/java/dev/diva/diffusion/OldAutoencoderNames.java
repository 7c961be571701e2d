package dev.diva.diffusion;

import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** An autoencoder of before diffusers 0.14 under today's names: its attention was called {@code query}, {@code key}, {@code value}, {@code proj_attn}. */
final class OldAutoencoderNames implements TensorSource {
    private static final Map<String, String> NEW_OF_OLD =
            Map.of("query", "to_q", "key", "to_k", "value", "to_v", "proj_attn", "to_out.0");
    private static final String ATTENTION = ".attentions.0.";

    private final TensorSource stored;
    private final Map<String, String> storedNames = new LinkedHashMap<>();

    private OldAutoencoderNames(TensorSource stored) {
        this.stored = stored;
        stored.tensors().forEach(info -> storedNames.put(today(info.name()), info.name()));
    }

    /** The source itself where it has today's names. */
    static TensorSource translated(TensorSource stored) {
        boolean isOld =
                stored.tensors().stream().anyMatch(info -> !today(info.name()).equals(info.name()));
        return isOld ? new OldAutoencoderNames(stored) : stored;
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

    @Override
    public String location() {
        return stored.location();
    }

    @Override
    public Collection<TensorInfo> tensors() {
        return Collections.unmodifiableList(
                storedNames.keySet().stream().map(this::info).toList());
    }

    @Override
    public TensorInfo info(String name) {
        String old = storedNames.get(name);
        if (old == null) {
            return null;
        }
        TensorInfo info = stored.info(old);
        return new TensorInfo(name, info.dtype(), info.shape());
    }

    @Override
    public Tensor read(String name) {
        String old = storedNames.get(name);
        return stored.read(old == null ? name : old);
    }

    @Override
    public Map<String, String> metadata() {
        return stored.metadata();
    }

    @Override
    public void close() {
        stored.close();
    }
}
