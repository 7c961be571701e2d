/** Semantic segmentation: data sets as detectron2 lays them out, and its scores. Plain numbers; no tensors. */
package dev.diva.eval.segmentation;
