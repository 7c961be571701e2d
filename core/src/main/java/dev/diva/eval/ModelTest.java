package dev.diva.eval;

/** McNemar's exact test of a later model against the first on the same data. */
public record ModelTest(String data, String first, String second, McNemar mcNemar) {}
