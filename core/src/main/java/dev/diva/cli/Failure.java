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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a user is told of a failure: one line, and the exit code. */
final class Failure {
    /** What libtorch says when the processor or a GPU has no memory left. */
    private static final Pattern NO_MEMORY =
            Pattern.compile("(you tried to allocate|Tried to allocate|to allocate) ([\\d.]+ [A-Za-z]+)");

    /** What the system's loader says of a library that another one needs. */
    private static final Pattern NO_LIBRARY = Pattern.compile("([^:/\\s]+): cannot open shared object file");

    private Failure() {}

    static int exitCode(Throwable failure) {
        Throwable cause = cause(failure);
        if (cause instanceof BadInputException || cause instanceof UnsatisfiedLinkError) {
            return ExitCodes.BAD_INPUT;
        }
        boolean followed = cause instanceof ProcessGroupException && System.getenv(ProcessLauncher.PARENT) != null;
        return followed ? ProcessLauncher.FOLLOWED : ExitCodes.WORK_FAILED;
    }

    /** The line, without the program's name. */
    static String line(Throwable failure) {
        return line(failure, "a smaller batch or fewer processes");
    }

    /**
     * The same.
     *
     * @param lighter what the command can be asked for that takes less memory
     */
    static String line(Throwable failure, String lighter) {
        Throwable cause = cause(failure);
        if (cause instanceof FileSystemException e) {
            return e.getFile() + ": " + reason(e);
        }
        if (cause instanceof OutOfMemoryError) {
            return "out of memory: " + cause.getMessage() + "; try " + lighter;
        }
        if (cause instanceof UnsatisfiedLinkError) {
            return "libtorch cannot be loaded: " + missing(cause);
        }
        String message = cause.getMessage();
        Matcher refused = NO_MEMORY.matcher(message == null ? "" : message);
        if (refused.find()) {
            return "out of memory: " + refused.group(2) + " at once could not be had; try " + lighter;
        }
        if (message == null || message.isBlank()) {
            return cause.getClass().getSimpleName() + "; --verbose shows where";
        }
        if (cause instanceof BadInputException
                && cause.getCause() instanceof FileSystemException e
                && message.endsWith(": " + e.getMessage())) { // which is often no more than the file's name
            return message.substring(0, message.length() - e.getMessage().length()) + reason(e);
        }
        return cause instanceof BadInputException
                        || cause instanceof IOException
                        || cause instanceof ProcessGroupException
                        || cause instanceof IllegalStateException
                ? firstLine(message)
                : firstLine(message) + " (" + cause.getClass().getSimpleName() + ")";
    }

    private static String missing(Throwable unlinked) {
        Throwable last = unlinked;
        while (last.getCause() != null) {
            last = last.getCause();
        }
        Matcher library = NO_LIBRARY.matcher(String.valueOf(last.getMessage()));
        if (!library.find()) {
            return firstLine(String.valueOf(last.getMessage()));
        }
        return library.group(1)
                + " is not where the system looks for libraries (LD_LIBRARY_PATH); a build for GPUs (./mvnw -Pcuda)"
                + " needs CUDA, cuDNN and NCCL, see docs/gpu.md; ./mvnw package builds for the processor";
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
