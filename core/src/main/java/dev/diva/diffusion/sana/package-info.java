/** The transformer of Sana: linear attention and gated convolutions, told of a prompt by cross-attention. */
package dev.diva.diffusion.sana;
