/** Single kernels at the shapes of ViT-L/14 and Stable Diffusion 2.1, timed by JMH. */
package dev.diva.bench.kernels;
