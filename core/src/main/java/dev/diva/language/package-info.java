/**
 * Language models: Llama's decoder with a key-value cache, Gemma 2 as a text encoder, Llama's tokenizer as a model folder describes it, and the choice of the next token. May use
 * {@code model}, {@code checkpoint} and {@code engine}.
 */
package dev.diva.language;
