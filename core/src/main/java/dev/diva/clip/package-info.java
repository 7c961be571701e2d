/**
 * CLIP and SigLIP: configurations of every published layout, the two towers, preprocessing by checkpoint, the table of backbones, and
 * {@link dev.diva.clip.Clip}, the library's way to embeddings. May use {@code model}, {@code checkpoint}, {@code engine} and {@code
 * data}.
 */
package dev.diva.clip;
