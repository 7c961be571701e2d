package dev.diva.report;

/** A figure at the head of the page. */
public record Tile(String label, String value, String detail) {}
