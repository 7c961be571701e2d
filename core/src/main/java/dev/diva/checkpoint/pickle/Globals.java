package dev.diva.checkpoint.pickle;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.pickle.Values.Global;
import dev.diva.checkpoint.pickle.Values.Instance;
import dev.diva.checkpoint.pickle.Values.Opaque;
import dev.diva.checkpoint.pickle.Values.StorageRef;
import dev.diva.checkpoint.pickle.Values.TensorRef;
import dev.diva.checkpoint.pickle.Values.Tuple;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The globals that a checkpoint may name, and what they mean here. Everything else is refused, so that nothing has to be trusted. */
final class Globals {
    private static final Map<String, Dtype> STORAGES = Map.ofEntries(
            Map.entry("DoubleStorage", Dtype.F64),
            Map.entry("FloatStorage", Dtype.F32),
            Map.entry("HalfStorage", Dtype.F16),
            Map.entry("BFloat16Storage", Dtype.BF16),
            Map.entry("LongStorage", Dtype.I64),
            Map.entry("IntStorage", Dtype.I32),
            Map.entry("ShortStorage", Dtype.I16),
            Map.entry("CharStorage", Dtype.I8),
            Map.entry("ByteStorage", Dtype.U8),
            Map.entry("BoolStorage", Dtype.BOOL));

    /** Tensors and parameters, rebuilt from a storage. */
    private static final Set<String> REBUILD = Set.of(
            "torch._utils._rebuild_tensor",
            "torch._utils._rebuild_tensor_v2",
            "torch._utils._rebuild_parameter",
            "torch._utils._rebuild_parameter_with_state");

    /** Classes whose instances are read for the tensors in them. */
    private static final Set<String> INSTANCES = Set.of("argparse.Namespace", "types.SimpleNamespace");

    private static final Set<String> MAPS =
            Set.of("collections.OrderedDict", "collections.defaultdict", "builtins.dict");

    private static final Set<String> LISTS = Set.of(
            "builtins.list",
            "builtins.tuple",
            "torch.Size",
            "torch.jit._pickle.build_intlist",
            "torch.jit._pickle.build_doublelist",
            "torch.jit._pickle.build_boollist",
            "torch.jit._pickle.build_tensorlist");

    private static final Set<String> SETS = Set.of("builtins.set", "builtins.frozenset");

    /** Harmless, and of no use to us: they may stand in a training checkpoint beside the weights. */
    private static final Set<String> UNUSED = Set.of(
            "builtins.int",
            "builtins.float",
            "builtins.bool",
            "builtins.str",
            "builtins.bytes",
            "builtins.bytearray",
            "builtins.complex",
            "builtins.slice",
            "builtins.range",
            "collections.Counter",
            "torch.device",
            "numpy.dtype",
            "numpy.ndarray",
            "numpy.core.multiarray.scalar",
            "numpy.core.multiarray._reconstruct",
            "numpy._core.multiarray.scalar",
            "numpy._core.multiarray._reconstruct",
            "_codecs.encode",
            "pathlib.PosixPath",
            "datetime.datetime",
            "datetime.timedelta");

    private static final Set<String> DTYPES = Set.of(
            "float64",
            "float32",
            "float16",
            "bfloat16",
            "int64",
            "int32",
            "int16",
            "int8",
            "uint8",
            "bool",
            "half",
            "float");

    private final PickleInput in;

    Globals(PickleInput in) {
        this.in = in;
    }

    /** The class of torch that stores elements of that type. */
    static String storageName(Dtype dtype) {
        return STORAGES.entrySet().stream()
                .filter(entry -> entry.getValue() == dtype)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow();
    }

    static String printable(Global global) {
        String text = global.toString().replaceAll("[^\\x20-\\x7e]", "?");
        return text.length() > 200 ? text.substring(0, 200) + "..." : text;
    }

    /**
     * The global of that name.
     *
     * @throws CheckpointException naming it when it is not on the list
     */
    Global find(String module, String name) {
        Global global = new Global(module.equals("__builtin__") ? "builtins" : module, name);
        String full = global.toString();
        boolean known = REBUILD.contains(full)
                || INSTANCES.contains(full)
                || MAPS.contains(full)
                || LISTS.contains(full)
                || SETS.contains(full)
                || UNUSED.contains(full)
                || full.equals("torch.jit._pickle.restore_type_tag")
                || (module.equals("torch") && (STORAGES.containsKey(name) || DTYPES.contains(name)))
                || module.startsWith("__torch__.")
                || module.equals("__torch__");
        if (!known) {
            throw in.bad("refuses the global " + printable(global)
                    + ": it is not among the harmless ones that checkpoints need, and nothing is executed");
        }
        return global;
    }

    /** What calling the global means. */
    Object construct(Global global, List<Object> arguments) {
        String name = global.toString();
        if (REBUILD.contains(name)) {
            return rebuild(global, arguments);
        }
        if (MAPS.contains(name)) {
            return map(arguments);
        }
        if (LISTS.contains(name)) {
            return arguments.isEmpty() ? new ArrayList<>() : new ArrayList<>(items(arguments.get(0)));
        }
        if (SETS.contains(name)) {
            return new Opaque(name);
        }
        if (name.equals("torch.jit._pickle.restore_type_tag") && !arguments.isEmpty()) {
            return arguments.get(0);
        }
        if (INSTANCES.contains(name) || global.module().startsWith("__torch__")) {
            return new Instance(global);
        }
        if (UNUSED.contains(name)) {
            return new Opaque(name);
        }
        throw in.bad("calls " + printable(global));
    }

    private Map<Object, Object> map(List<Object> arguments) {
        Map<Object, Object> map = new LinkedHashMap<>();
        // Protocol 2 and later set the items afterwards; older ones hand over a list of pairs.
        Object pairs = arguments.isEmpty() ? List.of() : arguments.get(arguments.size() - 1);
        if (pairs instanceof List<?> list) {
            for (Object pair : list) {
                List<Object> items = items(pair);
                if (items.size() != 2 || !(items.get(0) instanceof String)) {
                    throw in.bad("a map of something other than names and values");
                }
                map.put(items.get(0), items.get(1));
            }
        }
        return map;
    }

    private List<Object> items(Object value) {
        if (value instanceof Tuple tuple) {
            return tuple.items();
        }
        if (value instanceof Collection<?> collection) {
            return new ArrayList<>(collection);
        }
        throw in.bad("expected a row of values, found " + PickleStack.describe(value));
    }

    private Object rebuild(Global global, List<Object> arguments) {
        if (global.name().startsWith("_rebuild_parameter")) {
            if (arguments.isEmpty() || !(arguments.get(0) instanceof TensorRef)) {
                throw in.bad("a parameter that is not made of a tensor");
            }
            return arguments.get(0);
        }
        if (arguments.size() < 4
                || !(arguments.get(0) instanceof StorageRef storage)
                || !(arguments.get(1) instanceof Long offset)) {
            throw in.bad("a tensor without storage, offset, shape and strides");
        }
        return new TensorRef(storage, offset, longs(arguments.get(2)), longs(arguments.get(3)));
    }

    private List<Long> longs(Object value) {
        List<Object> items = items(value);
        if (items.size() > 64) {
            throw in.bad("a tensor of " + items.size() + " dimensions");
        }
        List<Long> longs = new ArrayList<>();
        for (Object item : items) {
            if (!(item instanceof Long number)) {
                throw in.bad("a size that is a " + PickleStack.describe(item));
            }
            longs.add(number);
        }
        return longs;
    }

    /** Attributes that are set after construction. */
    void build(Object target, Object state) {
        if (target instanceof Instance instance) {
            List<Object> states =
                    state instanceof Tuple tuple ? tuple.items() : java.util.Collections.singletonList(state);
            for (Object part : states) {
                if (part instanceof Map<?, ?> map) {
                    instance.attributes.putAll(map);
                }
            }
        } else if (!(target instanceof Map || target instanceof TensorRef || target instanceof Opaque)) {
            throw in.bad("sets the state of " + PickleStack.describe(target));
        }
        // A state dictionary's own attributes (its _metadata) and those of unused objects are dropped.
    }

    /** A persistent id: ('storage', type, key, device, elements[, view]). */
    StorageRef storage(List<Object> id) {
        if (id.size() < 5
                || !"storage".equals(id.get(0))
                || !(id.get(1) instanceof Global type)
                || !(id.get(2) instanceof String key)
                || !(id.get(4) instanceof Long numel)) {
            throw in.bad("a persistent id that is not a storage");
        }
        if (id.size() > 5 && id.get(5) != null) {
            throw in.bad("storage " + key + " is a view of another, as only very old files have: save it again");
        }
        Dtype dtype = type.module().equals("torch") ? STORAGES.get(type.name()) : null;
        if (dtype == null || numel < 0) {
            throw in.bad("a storage of " + numel + " elements of " + printable(type));
        }
        return new StorageRef(dtype, key, numel);
    }
}
