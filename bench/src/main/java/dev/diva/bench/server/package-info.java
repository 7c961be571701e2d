/** Rate of many clients of one model, against batches. Depends on the library; nothing depends on it. */
package dev.diva.bench.server;
