/**
 * Post-training: schedules, optimisers, gradients, state and checkpoints, and the loop. Knows the objective only through {@link
 * dev.diva.train.Objective}. May use feedback and below, and data.
 */
package dev.diva.train;
