/** A transformer of FLUX.1's kind, as GenHancer trains one from scratch: double and single blocks over text and image tokens. */
package dev.diva.diffusion.flux;
