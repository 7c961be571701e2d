package dev.diva.checkpoint.pickle;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.pickle.Values.Instance;
import dev.diva.checkpoint.pickle.Values.TensorRef;
import dev.diva.checkpoint.pickle.Values.Tuple;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The tensors inside nested dictionaries, lists and objects, named by their path: {@code state_dict.module.visual.proj}. */
final class TensorTree {
    private static final int MAX_DEPTH = 64;
    private static final int MAX_VISITS = 200_000;
    private static final int MAX_NAME = 10_000;

    private final String where;
    private final Map<String, TensorRef> tensors = new LinkedHashMap<>();
    private int visits;

    private TensorTree(String where) {
        this.where = where;
    }

    static Map<String, TensorRef> flatten(String where, Object root) {
        TensorTree tree = new TensorTree(where);
        tree.visit("", root, 0);
        return tree.tensors;
    }

    private void visit(String name, Object value, int depth) {
        // Values are shared by reference, so a small pickle can describe an endless tree.
        if (depth > MAX_DEPTH || ++visits > MAX_VISITS || name.length() > MAX_NAME) {
            throw new CheckpointException(where + ": objects are nested without end");
        }
        if (value instanceof TensorRef tensor) {
            if (tensors.put(name, tensor) != null) {
                throw new CheckpointException(where + ": two tensors are named " + name);
            }
        } else if (value instanceof Map<?, ?> map) {
            map.forEach((key, item) -> visit(join(name, key), item, depth + 1));
        } else if (value instanceof Instance instance) {
            instance.attributes.forEach((key, item) -> visit(join(name, key), item, depth + 1));
        } else if (value instanceof Tuple tuple) {
            visitAll(name, tuple.items(), depth);
        } else if (value instanceof List<?> list) {
            visitAll(name, list, depth);
        }
    }

    private void visitAll(String name, List<?> items, int depth) {
        for (int i = 0; i < items.size(); i++) {
            visit(join(name, i), items.get(i), depth + 1);
        }
    }

    private static String join(String name, Object key) {
        String last = key instanceof String || key instanceof Number ? key.toString() : PickleStack.describe(key);
        return name.isEmpty() ? last : name + "." + last;
    }
}
