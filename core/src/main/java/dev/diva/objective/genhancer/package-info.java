/** GenHancer (arXiv 2503.19480): a small denoiser from scratch, told of the class token as one token and one vector. */
package dev.diva.objective.genhancer;
