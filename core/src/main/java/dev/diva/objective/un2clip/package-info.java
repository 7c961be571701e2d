/** un2CLIP (arXiv 2505.24517): a frozen Stable unCLIP, which draws an image from its embedding, teaches the whole image encoder. */
package dev.diva.objective.un2clip;
