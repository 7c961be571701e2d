package dev.diva.cli;

import dev.diva.BadInputException;
import dev.diva.engine.ProcessGroupException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** What a user is told of a failure: one line, and the exit code. */
final class Failure {
    private Failure() {}

    static int exitCode(Throwable failure) {
        Throwable cause = cause(failure);
        if (cause instanceof BadInputException) {
            return ExitCodes.BAD_INPUT;
        }
        boolean followed = cause instanceof ProcessGroupException && System.getenv(ProcessLauncher.PARENT) != null;
        return followed ? ProcessLauncher.FOLLOWED : ExitCodes.WORK_FAILED;
    }

    /** The line, without the program's name. */
    static String line(Throwable failure) {
        Throwable cause = cause(failure);
        if (cause instanceof FileSystemException e) {
            return e.getFile() + ": " + reason(e);
        }
        if (cause instanceof OutOfMemoryError) {
            return "out of memory: " + cause.getMessage() + "; try a smaller --batch";
        }
        String message = cause.getMessage();
        if (message == null || message.isBlank()) {
            return cause.getClass().getSimpleName() + "; --verbose shows where";
        }
        return cause instanceof BadInputException
                        || cause instanceof IOException
                        || cause instanceof ProcessGroupException
                        || cause instanceof IllegalStateException
                ? firstLine(message)
                : firstLine(message) + " (" + cause.getClass().getSimpleName() + ")";
    }

    /** The first line: libtorch appends its own stack to messages. */
    static String firstLine(String message) {
        return message.strip().lines().findFirst().orElse("");
    }

    private static String reason(FileSystemException e) {
        if (e instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        if (e instanceof AccessDeniedException) {
            return "no permission";
        }
        if (e instanceof FileAlreadyExistsException) {
            return "exists already";
        }
        return e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
    }

    /** Without what threads and streams wrap around it. */
    private static Throwable cause(Throwable failure) {
        boolean wrapped = failure instanceof UncheckedIOException
                || failure instanceof ExecutionException
                || failure instanceof CompletionException;
        return wrapped && failure.getCause() != null ? cause(failure.getCause()) : failure;
    }
}
