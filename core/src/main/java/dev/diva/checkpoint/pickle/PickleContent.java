package dev.diva.checkpoint.pickle;

import dev.diva.checkpoint.pickle.ZipDirectory.StoredRecord;
import java.util.Map;

/**
 * What one file holds.
 *
 * @param script whether it is a TorchScript archive
 * @param root the object that was saved
 * @param storages where the elements lie in the file
 */
record PickleContent(boolean script, Object root, Map<String, StoredRecord> storages) {
    /** Pickles describe tensors, they do not hold them: larger ones are broken or hostile. */
    static final long MAX_PICKLE = 1 << 26;
}
