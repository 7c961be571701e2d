package dev.diva.checkpoint.pickle;

import dev.diva.checkpoint.Dtype;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a pickle may hold besides Java's own strings, numbers, lists and maps. */
final class Values {
    private Values() {}

    /** A name that the pickle refers to. It stays a name. */
    record Global(String module, String name) {
        @Override
        public String toString() {
            return module + "." + name;
        }
    }

    /** An immutable row of values. */
    record Tuple(List<Object> items) {}

    /** An instance of a class that we know by name only: a scripted module, a namespace. Attributes may refer to each other in circles. */
    static final class Instance {
        final Global type;
        final Map<Object, Object> attributes = new LinkedHashMap<>();

        Instance(Global type) {
            this.type = type;
        }
    }

    /** Something harmless that we have no use for: a random state, a device, a numpy scalar. */
    record Opaque(String type) {}

    /**
     * Elements stored beside the pickle.
     *
     * @param key record name in the archive
     * @param numel elements that the pickle claims
     */
    record StorageRef(Dtype dtype, String key, long numel) {}

    /** A view of a storage; sizes and strides in elements. */
    record TensorRef(StorageRef storage, long offset, List<Long> shape, List<Long> strides) {}
}
