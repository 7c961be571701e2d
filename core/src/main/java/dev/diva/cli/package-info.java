/** The commands of {@code diva}: the only place that prints, reads the terminal and exits. May use every package. */
package dev.diva.cli;
