/**
 * Makes the small CLIP, autoencoder and denoiser of the mini world from nothing, in the layouts of transformers and diffusers. Uses the
 * towers and the loop that post-training uses; may use {@code clip}, {@code diffusion}, {@code train} and below.
 */
package dev.diva.world.pretrain;
