/**
 * Objectives beside the paper's own, which repair a CLIP from images alone: GenHancer, DCR and un2CLIP. All tell a denoiser of the pooled
 * embedding that is compared with texts. May use feedback and below.
 */
package dev.diva.objective;
