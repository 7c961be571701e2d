/** SAN against its authors' code. */
package dev.diva.bench.segment;
