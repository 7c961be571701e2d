/** LLaVA-1.5 against transformers: questions that share an image, prefill, decoding. */
package dev.diva.bench.mllm;
