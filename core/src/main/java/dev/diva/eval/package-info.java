/**
 * Scores of image-text models on plain float embeddings: pairs of MMVP-VLM, zero-shot classification, retrieval, linear probes, with
 * their intervals and paired tests. No tensor of the engine is seen here.
 */
package dev.diva.eval;
