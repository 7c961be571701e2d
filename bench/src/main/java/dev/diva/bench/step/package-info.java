/**
 * A training step stage by stage: time, operations counted from shapes, share of the machine's measured peak.
 * Built from the public parts of the library; nothing here is used by diva itself.
 */
package dev.diva.bench.step;
