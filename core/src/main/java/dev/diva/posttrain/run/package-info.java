/**
 * A run of post-training: its folder, models, images, latents and records, put together from a recipe. Never prints. May use the loop,
 * recipes, feedback and below, and data.
 */
package dev.diva.posttrain.run;
