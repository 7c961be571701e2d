/**
 * Recipes: the presets, reading and merging of YAML, typed settings, comparison of two recipes. Builds nothing. May use feedback's
 * settings and below.
 */
package dev.diva.posttrain.recipe;
