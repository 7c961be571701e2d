/**
 * Open-vocabulary segmentation: SAN's side network on a frozen CLIP, and MaskCLIP's way without training. May use {@code eval}, {@code
 * clip}, {@code model}, {@code checkpoint}, {@code engine} and {@code data}.
 */
package dev.diva.segment;
