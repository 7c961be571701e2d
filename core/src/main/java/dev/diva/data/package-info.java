/**
 * Images: files, folders and webdataset tars, here or behind addresses, decoding, the reference preprocessing, sampling order and a
 * loader that works ahead. Plain bytes and floats only.
 */
package dev.diva.data;
