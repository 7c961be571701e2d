/**
 * Suites: models x data sets x tasks, one JSON file a cell in CLIP_benchmark's fields, one table over all of them. Scores themselves come
 * from {@code dev.diva.eval}.
 */
package dev.diva.eval.suite;
