/**
 * Latent cache and embeddings of millions of images as Spark jobs. The work itself is diva's; here it is only cut and dealt out. May use
 * everything of diva; nothing uses it.
 */
package dev.diva.spark;
