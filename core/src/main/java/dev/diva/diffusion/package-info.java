/**
 * The frozen teacher: a text-to-image latent diffusion model read from a diffusers folder; denoiser, autoencoder, noise schedule, prompt
 * encoders. Nothing here knows of CLIP towers or training. May use {@code model} and below.
 */
package dev.diva.diffusion;
