/** Names of models on the Hugging Face hub, and the cache on disk in which the hub's own tools and {@code diva pull} keep them. */
package dev.diva.hub;
