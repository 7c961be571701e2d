/**
 * The loop, which knows no method: steps, schedules, optimisers, gradients, exact resume, steps shared by processes, and what a run leaves in
 * its folder. What is trained comes as parameters by name, an {@link dev.diva.train.Objective} and {@link dev.diva.train.MicroBatches}; {@link
 * dev.diva.train.TrainingRun} puts them together. May use checkpoint and engine.
 */
package dev.diva.train;
