/**
 * LLaVA-1.5: a language model that sees images through a CLIP's tokens. Folders of both layouts, prompts, the projector, answers, and another
 * tower in place of the one it came with. May use {@code language}, {@code clip}, {@code data} and what those stand on.
 */
package dev.diva.mllm;
