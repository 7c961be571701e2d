package dev.diva.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What Linux says of the first processor; nothing on other systems. */
final class CpuInfo {
    private static final List<String> LINES = read(Path.of("/proc/cpuinfo"));

    private CpuInfo() {}

    private static List<String> read(Path file) {
        try {
            String text = Files.isReadable(file) ? Files.readString(file) : "";
            return text.lines().takeWhile(line -> !line.isBlank()).toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    /** Whether it has instructions for bf16. */
    static boolean hasBf16() {
        String flags = value("flags").orElse("");
        return flags.contains("avx512_bf16") || flags.contains("amx_bf16");
    }

    /** Whether it is one of Intel's. */
    static boolean isOfIntel() {
        return value("vendor_id").equals(Optional.of("GenuineIntel"));
    }

    /** Its name. */
    static Optional<String> modelName() {
        return value("model name");
    }

    private static Optional<String> value(String key) {
        return LINES.stream()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst();
    }
}
