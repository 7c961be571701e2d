/** The transformer of Stable Diffusion 3 and 3.5 (MMDiT, MMDiT-X). */
package dev.diva.diffusion.sd3;
