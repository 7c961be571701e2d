/**
 * The layouts in which the world ships CLIPs: which one a file or folder has, how its names translate to ours (those of transformers), and
 * the same backwards. Knows names, not models; may use {@code checkpoint}, its pickles and {@code engine}.
 */
package dev.diva.checkpoint.format;
