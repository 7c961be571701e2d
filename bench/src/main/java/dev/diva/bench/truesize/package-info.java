/**
 * Folders of the published models' layouts and sizes with random weights: the real shapes without a download.
 * Names and shapes only; nothing here computes a model.
 */
package dev.diva.bench.truesize;
