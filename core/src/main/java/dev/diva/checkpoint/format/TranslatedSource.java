package dev.diva.checkpoint.format;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.SourceView;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * A checkpoint seen under the names of another layout. Pieces of a split tensor, transposes and reshapes are views of what is stored; only
 * joined tensors are copies. Names without a rule keep theirs, so that whoever accounts for all keys sees them.
 */
public final class TranslatedSource {
    private final TensorSource stored;
    private final boolean readsForeign;
    private final SourceView view;

    private TranslatedSource(TensorSource stored, boolean readsForeign) {
        this.stored = stored;
        this.readsForeign = readsForeign;
        this.view = new SourceView(stored);
    }

    /** A foreign checkpoint under our names. */
    public static TensorSource toOurs(TensorSource stored, NameTable table) {
        TranslatedSource source = new TranslatedSource(stored, true);
        for (TensorInfo info : stored.tensors()) {
            if (!table.ignores(info.name())) {
                source.translateToOurs(info, table);
            }
        }
        return source.view;
    }

    /**
     * A checkpoint under our names seen in a foreign layout, in the order of that layout's table.
     *
     * @throws CheckpointException listing the tensors that the layout has no place for
     */
    public static TensorSource fromOurs(TensorSource ours, NameTable table) {
        TranslatedSource source = new TranslatedSource(ours, false);
        List<String> homeless = new ArrayList<>();
        for (TensorInfo info : ModuleOrder.sort(ours.tensors(), table)) {
            if (!source.translateFromOurs(info, table)) {
                homeless.add(info.name());
            }
        }
        if (!homeless.isEmpty()) {
            throw new CheckpointException(
                    ours.location() + ": layout " + table.name() + " has no place for " + homeless);
        }
        return source.view;
    }

    private void translateToOurs(TensorInfo info, NameTable table) {
        for (NameRule rule : table.rules()) {
            Optional<NameRule.Match> match = rule.matchStored(info.name());
            if (match.isPresent()) {
                List<String> from = match.get().fill(rule.stored());
                List<String> to = match.get().fill(rule.ours());
                apply(rule, from, to, rule.change());
                return;
            }
            if (rule.stored().size() > 1 && isLaterPart(rule, info.name())) {
                return;
            }
        }
        view.put(info, reader -> reader.read(info.name()));
    }

    private boolean isLaterPart(NameRule rule, String name) {
        return rule.stored().stream()
                .skip(1)
                .anyMatch(pattern -> new NameRule(List.of(pattern), rule.ours(), rule.change(), rule.parts())
                        .matchStored(name)
                        .filter(match -> stored.info(match.fill(rule.stored().get(0))) != null)
                        .isPresent());
    }

    private boolean translateFromOurs(TensorInfo info, NameTable table) {
        if (table.isOurs()) {
            view.put(info, reader -> reader.read(info.name()));
            return true;
        }
        for (NameRule rule : table.rules()) {
            Optional<NameRule.Match> match = rule.matchOurs(info.name());
            if (match.isPresent()) {
                apply(rule, match.get().fill(rule.ours()), match.get().fill(rule.stored()), rule.change());
                return true;
            }
            if (laterPartOfOurs(rule, info.name())) {
                return true;
            }
        }
        return false;
    }

    private static boolean laterPartOfOurs(NameRule rule, String name) {
        return rule.ours().stream()
                .skip(1)
                .anyMatch(pattern -> new NameRule(rule.stored(), List.of(pattern), rule.change(), rule.parts())
                        .matchOurs(name)
                        .isPresent());
    }

    private void apply(NameRule rule, List<String> from, List<String> to, NameRule.Change change) {
        if (from.size() > 1) {
            join(from, to.get(0));
        } else if (to.size() > 1) {
            split(required(from.get(0)), to, rule.parts());
        } else {
            changed(required(from.get(0)), to.get(0), change);
        }
    }

    private void split(TensorInfo whole, List<String> names, List<Integer> parts) {
        long total = parts.stream().mapToLong(Integer::longValue).sum();
        long[] shape = whole.shape();
        if (shape.length == 0 || shape[0] % total != 0) {
            throw new CheckpointException(
                    stored.location() + ": " + whole + " cannot be split into " + total + " equal parts: " + names);
        }
        long unit = shape[0] / total;
        long start = 0;
        for (int i = 0; i < names.size(); i++) {
            long from = start;
            long rows = unit * parts.get(i);
            long[] part = shape.clone();
            part[0] = rows;
            view.put(
                    new TensorInfo(names.get(i), whole.dtype(), part),
                    reader -> reader.read(whole.name()).narrow(0, from, rows));
            start += rows;
        }
    }

    private void join(List<String> names, String joined) {
        List<TensorInfo> pieces = names.stream().map(this::required).toList();
        TensorInfo first = pieces.get(0);
        long[] shape = first.shape();
        if (shape.length == 0) {
            throw new CheckpointException(stored.location() + ": " + first + " has no rows to be joined by");
        }
        long rows = 0;
        for (TensorInfo piece : pieces) {
            long[] other = piece.shape();
            if (piece.dtype() != first.dtype()
                    || other.length != shape.length
                    || !Arrays.equals(other, 1, other.length, shape, 1, shape.length)) {
                throw new CheckpointException(
                        stored.location() + ": " + first + " and " + piece + " do not fit together");
            }
            rows += other[0];
        }
        shape = shape.clone();
        shape[0] = rows;
        view.put(new TensorInfo(joined, first.dtype(), shape), reader -> {
            TensorVector tensors = new TensorVector();
            pieces.forEach(piece -> tensors.push_back(reader.read(piece.name())));
            return torch.cat(tensors, 0);
        });
    }

    private void changed(TensorInfo info, String name, NameRule.Change change) {
        long[] shape = info.shape();
        switch (change) {
            case NONE -> view.put(new TensorInfo(name, info.dtype(), shape), reader -> reader.read(info.name()));
            case TRANSPOSED -> {
                if (shape.length != 2) {
                    throw new CheckpointException(stored.location() + ": " + info + " is not a matrix");
                }
                long[] turned = {shape[1], shape[0]};
                view.put(
                        new TensorInfo(name, info.dtype(), turned),
                        reader -> reader.read(info.name()).t());
            }
            case BATCHED, VECTOR, SCALAR, POINTWISE -> {
                long[] other = reshaped(shape, change);
                view.put(
                        new TensorInfo(name, info.dtype(), other),
                        reader -> reader.read(info.name()).reshape(other));
            }
        }
    }

    /** Either form becomes ours on reading; on writing ours becomes the stored one. */
    private long[] reshaped(long[] shape, NameRule.Change change) {
        if (change == NameRule.Change.SCALAR) {
            boolean other = shape.length == (readsForeign ? 0 : 1);
            return !other ? shape : readsForeign ? new long[] {1} : new long[0];
        }
        if (change == NameRule.Change.VECTOR) {
            boolean isStored = shape.length == 3 && shape[0] == 1 && shape[1] == 1;
            if (readsForeign) {
                return isStored ? new long[] {shape[2]} : shape;
            }
            return shape.length == 1 ? new long[] {1, 1, shape[0]} : shape;
        }
        if (change == NameRule.Change.POINTWISE) {
            boolean isKernel = shape.length == 4 && shape[2] == 1 && shape[3] == 1;
            if (readsForeign) {
                return isKernel ? new long[] {shape[0], shape[1]} : shape;
            }
            return shape.length == 2 ? new long[] {shape[0], shape[1], 1, 1} : shape;
        }
        if (readsForeign) {
            return shape.length == 3 && shape[0] == 1 ? new long[] {shape[1], shape[2]} : shape;
        }
        return shape.length == 2 ? new long[] {1, shape[0], shape[1]} : shape;
    }

    private TensorInfo required(String name) {
        TensorInfo info = stored.info(name);
        if (info == null) {
            throw new CheckpointException(
                    stored.location() + ": missing " + name + ", which belongs with others that are there");
        }
        return info;
    }
}
