/**
 * Images: files, folders and webdataset tars, decoding, the reference preprocessing, sampling order and a loader that works ahead.
 * Plain bytes and floats only; depends on nothing of ours but {@link dev.diva.BadInputException}.
 */
package dev.diva.data;
