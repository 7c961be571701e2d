/** Many clients of one model, against batches. */
package dev.diva.bench.server;
