package dev.diva.cli;

import dev.diva.eval.mllm.Benchmark;
import dev.diva.eval.mllm.MllmRun;
import java.io.PrintWriter;
import java.nio.file.Path;

/** How far models are with their answers, on the error stream. */
final class AnswerProgress implements MllmRun.Listener, AutoCloseable {
    private final PrintWriter err;
    private Progress progress; // of the benchmark that is being answered, or null

    AnswerProgress(PrintWriter err) {
        this.err = err;
    }

    @Override
    public void answered(String model, Benchmark benchmark, int answered, int questions) {
        String task = model + ", " + benchmark.label();
        if (progress == null) {
            progress = Progress.startFrom(task, answered, questions, err);
        }
        progress.at(answered);
        if (answered == questions) {
            close();
            line(task + ": " + questions + " of " + questions + " answered");
        }
    }

    @Override
    public void wrote(Path file) {
        line("writing " + file);
    }

    @Override
    public void note(String text) {
        line("warning: " + text);
    }

    private void line(String text) {
        err.println(text);
        err.flush();
    }

    @Override
    public void close() {
        if (progress != null) {
            progress.close();
            progress = null;
        }
    }
}
