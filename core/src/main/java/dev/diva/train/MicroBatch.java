package dev.diva.train;

import java.util.List;

/** Samples of one forward pass, of whatever kind an objective takes; its tensors belong to the scope that asked for them. */
public interface MicroBatch {
    /** Where each sample came from, for messages. */
    List<String> names();
}
