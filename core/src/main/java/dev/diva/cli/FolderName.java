package dev.diva.cli;

import dev.diva.Sha256;
import java.nio.file.Path;

/** Names of folders for what a model said: one for each path. */
final class FolderName {
    private static final int LONGEST = 100;

    private FolderName() {}

    /** The folder of a model. */
    static String of(Path model) {
        return ofAbsolute(model.toAbsolutePath().normalize().toString());
    }

    /** The end of the path, with what no file system minds; a digest of the path behind it where the path does not follow from that. */
    static String ofAbsolute(String path) {
        String name = path.replaceAll("[^A-Za-z0-9.-]+", "_");
        String end = name.substring(Math.max(0, name.length() - LONGEST)).replaceAll("^[_.]+", "");
        boolean isWhole = path.equals("/" + end.replace('_', '/'));
        return isWhole ? end : end + "-" + Sha256.of(path, 10);
    }
}
