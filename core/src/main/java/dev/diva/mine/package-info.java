/**
 * CLIP-blind pairs: images that a CLIP calls nearly identical and a second encoder, DINOv2, calls different, as MMVP was built. Search
 * over embeddings in blocks; the DINOv2 tower; no CLIP is loaded here.
 */
package dev.diva.mine;
