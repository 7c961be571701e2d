package dev.diva.report;

import java.util.List;

/** One evaluation file: its results and the paired tests that it states. */
public record Evaluation(List<Result> results, List<PairedTest> tests) {}
