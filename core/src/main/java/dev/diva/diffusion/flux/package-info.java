/** FLUX.1, and transformers of its kind as GenHancer trains one from scratch: double and single blocks over text and image tokens. */
package dev.diva.diffusion.flux;
