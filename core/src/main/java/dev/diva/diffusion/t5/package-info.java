/** The encoder of T5, which tells FLUX.1 and Stable Diffusion 3 of a prompt. */
package dev.diva.diffusion.t5;
