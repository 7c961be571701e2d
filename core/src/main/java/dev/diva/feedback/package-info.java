/**
 * The paper itself, one class per idea, in the order of an image's road: pixels, recap of the tower's tokens, projection, condition,
 * denoising loss. Not how long or with which optimiser. May use clip, diffusion and below.
 */
package dev.diva.feedback;
