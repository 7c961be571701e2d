package dev.diva.demo;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.world.WorldRecipe;
import dev.diva.world.WorldWriter;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/** Everything that an experiment needs on disk, made once: models, world and projection. Says what is missing before anything is begun. */
final class DemoPreparation {
    private static final long BYTES_NEEDED = 2L << 30;
    private static final long HEAP_NEEDED = 384L << 20;

    private DemoPreparation() {}

    /**
     * Makes what is not there yet.
     *
     * @param stopped asked before each part
     * @return false when stopped before the end
     * @throws BadInputException for a folder that cannot be written, too little memory, or altered models
     */
    static boolean make(Places places, WorldRecipe recipe, Watcher watcher, BooleanSupplier stopped) {
        if (!Files.isDirectory(places.clip())) { // the first thing that a demo makes
            AtomicFolder.requireFree(places.root(), "choose another --out");
        }
        requireWritable(places.root());
        requireMemory();
        ShippedModels.unpack(places.models());
        WorldWriter world = new WorldWriter(recipe);
        if (!world.isIn(places.world())) {
            watcher.stage("Rendering the mini world");
            try {
                world.write(places.world(), part -> {
                    if (stopped.getAsBoolean()) {
                        throw new CancellationException(part);
                    }
                });
            } catch (CancellationException e) {
                return false;
            }
        }
        if (stopped.getAsBoolean()) {
            return false;
        }
        if (!Files.exists(places.anchor())) {
            watcher.stage("Fitting the projection to captions");
            DemoAnchor.make(places, recipe.seed());
        }
        return !stopped.getAsBoolean();
    }

    private static void requireWritable(Path folder) {
        try {
            Files.createDirectories(folder);
            Files.delete(Files.createTempFile(folder, ".write", ".tmp"));
        } catch (IOException e) {
            throw new BadInputException(
                    folder + ": cannot be written (" + e + "); choose another folder with --out", e);
        }
    }

    private static void requireMemory() {
        long machine = ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class)
                .getTotalMemorySize(); // of the container, where there is one
        if (machine < BYTES_NEEDED) {
            throw new BadInputException(
                    "demo: needs a machine with " + gib(BYTES_NEEDED) + " of memory, this one has " + gib(machine));
        }
        long heap = Runtime.getRuntime().maxMemory();
        if (heap < HEAP_NEEDED) {
            throw new BadInputException("demo: needs a Java heap of " + gib(HEAP_NEEDED) + ", this one has at most "
                    + gib(heap) + "; raise -Xmx");
        }
    }

    private static String gib(long bytes) {
        return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1 << 30));
    }
}
