/** Speed and memory of image encoding. Depends on the library; nothing depends on it. */
package dev.diva.bench.encode;
