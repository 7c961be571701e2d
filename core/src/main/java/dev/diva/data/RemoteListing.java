package dev.diva.data;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Asks for many files behind addresses at once, so that listing them one after the other has not to wait for each. */
final class RemoteListing {
    private static final int AT_ONCE = 8;

    private RemoteListing() {}

    /**
     * Makes sure that all are there, and goes through the tars.
     *
     * @throws dev.diva.BadInputException for the first that is not there, cannot be read or is a web page
     */
    static void ahead(List<DataFile> files) {
        List<DataFile> remote = files.stream()
                .filter(file -> file.isRemote() && !file.isFolder())
                .distinct()
                .toList();
        if (remote.isEmpty()) {
            return;
        }
        ExecutorService workers = Executors.newFixedThreadPool(Math.min(AT_ONCE, remote.size()));
        try {
            List<Future<?>> all = new ArrayList<>();
            remote.forEach(file -> all.add(workers.submit(() -> look(file))));
            for (Future<?> each : all) {
                each.get();
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException reason ? reason : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("stopped", e);
        } finally {
            workers.shutdownNow();
        }
    }

    private static void look(DataFile file) {
        if (TarIndex.isTar(file)) {
            TarIndex.listing(file);
        } else {
            file.remote().size();
        }
    }
}
