/**
 * The whole experiment on the mini world, put together from the same parts that the commands use: shipped models, rendered images,
 * scores before, post-training, scores after, page. On top beside {@code cli}: may use everything but {@code cli}, and never prints.
 */
package dev.diva.demo;
