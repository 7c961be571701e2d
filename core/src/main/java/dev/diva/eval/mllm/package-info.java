/**
 * Benchmarks of multimodal language models as their authors publish them: MMVP, POPE, MME, MMBench, LLaVA-Bench (in the wild). Reads
 * questions, labels and recorded answers, keeps answers on disk, and scores them by the rules of the published scorers. Strings and plain
 * numbers only; the model is behind {@link dev.diva.eval.mllm.Answerer}.
 */
package dev.diva.eval.mllm;
