/** The parts of a deep compression autoencoder (DC-AE, arXiv 2410.10733), which makes the latents of Sana. */
package dev.diva.diffusion.dc;
