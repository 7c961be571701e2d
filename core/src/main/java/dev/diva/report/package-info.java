/**
 * One HTML page from the records that training and evaluation leave on disk as JSON. Nothing here touches a tensor or a model; the
 * templates are in {@code src/main/jte}. Depends on nothing of ours but {@link dev.diva.BadInputException}.
 */
package dev.diva.report;
