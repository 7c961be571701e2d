/**
 * LLaVA-1.5's two stages on the loop of {@link dev.diva.train}: conversations, their labels and order, the loss over answers, recipe and run.
 * May use the rest of {@code mllm}, {@code train} and below.
 */
package dev.diva.mllm.train;
