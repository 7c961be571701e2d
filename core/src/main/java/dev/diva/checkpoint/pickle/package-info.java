/**
 * Files of {@code torch.save} and {@code torch.jit.save}, read by an interpreter that knows a short list of harmless globals and never
 * executes anything. Knows nothing of models or of the names in them; may use {@code checkpoint} and {@code engine}.
 */
package dev.diva.checkpoint.pickle;
