/**
 * libtorch made safe: start-up, precision, scopes, random streams and the few kernels that are ours.
 * Nothing here knows of models or files, and it depends on no other package of diva.
 */
package dev.diva.engine;
