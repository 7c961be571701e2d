package dev.diva.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What Linux says of the processor; nothing on other systems. */
final class CpuInfo {
    private static final String TEXT = read(Path.of("/proc/cpuinfo"));

    private CpuInfo() {}

    private static String read(Path file) {
        try {
            return Files.isReadable(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            return "";
        }
    }

    /** Whether it has instructions of that name, as {@code amx_bf16}. */
    static boolean has(String flag) {
        return TEXT.contains(flag);
    }

    /** Whether it is one of AMD's. */
    static boolean isOfAmd() {
        return TEXT.contains("AuthenticAMD");
    }

    /** Its name. */
    static Optional<String> modelName() {
        return TEXT.lines()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst();
    }
}
