/**
 * From names and addresses to files: models on the Hugging Face hub and the cache on disk in which its own tools and {@code diva pull} keep
 * them; files behind {@code http(s)://} and {@code s3://}, read by ranges through a bounded cache.
 */
package dev.diva.hub;
