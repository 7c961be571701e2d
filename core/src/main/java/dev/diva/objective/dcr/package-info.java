/** Diffusion Contrastive Reconstruction (DCR): the predictions under all conditions of a batch, judged against each other. */
package dev.diva.objective.dcr;
