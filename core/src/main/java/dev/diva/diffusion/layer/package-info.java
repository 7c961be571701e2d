/**
 * The parts that denoisers and autoencoders are composed of, under diffusers' names: UNets of every Stable Diffusion and DiT take them
 * from here. May use {@code model} and below; knows no config file.
 */
package dev.diva.diffusion.layer;
