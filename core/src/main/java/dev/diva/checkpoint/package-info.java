/**
 * Tensors by name: safetensors, shards, pickles read by an allow-list, name tables between the formats of the world, atomic writing.
 * Knows files, not models; may use {@code engine} only.
 */
package dev.diva.checkpoint;
