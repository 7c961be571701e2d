/**
 * Layers that several models share. Each is built from {@link dev.diva.checkpoint.Weights} and has one {@code forward}. May use {@code
 * checkpoint} and {@code engine}.
 */
package dev.diva.model;
