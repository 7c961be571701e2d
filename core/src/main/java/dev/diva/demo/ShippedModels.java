package dev.diva.demo;

import dev.diva.BadInputException;
import dev.diva.Sha256;
import dev.diva.checkpoint.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The small models that come with the program: {@code clip/} and {@code diffusion/}, each file with its SHA-256. */
public final class ShippedModels {
    private static final String FOLDER = "/dev/diva/world/models/";
    private static final String SUMS = "SHA256SUMS";

    private ShippedModels() {}

    /**
     * Writes the models to a folder; files that are there already are checked.
     *
     * @throws BadInputException when a file does not match its sum, or cannot be written
     */
    public static void unpack(Path folder) {
        try {
            for (Map.Entry<String, String> entry : sums().entrySet()) {
                unpack(entry.getKey(), entry.getValue(), folder.resolve(entry.getKey()));
            }
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be written: " + e + "; choose another --out", e);
        }
    }

    private static void unpack(String name, String sum, Path target) throws IOException {
        if (Files.exists(target)) {
            requireSum(target.toString(), sum, Files.readAllBytes(target), "delete it and start again");
            return;
        }
        byte[] content = resource(name);
        requireSum("shipped model file " + name, sum, content, "install diva anew");
        Files.createDirectories(target.getParent());
        AtomicFile.write(target, channel -> {
            ByteBuffer buffer = ByteBuffer.wrap(content);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        });
    }

    private static void requireSum(String what, String sum, byte[] content, String remedy) {
        String found = Sha256.of(content);
        if (!found.equals(sum)) {
            throw new BadInputException(what + ": was altered: SHA-256 is " + found.substring(0, 12) + "..., expected "
                    + sum.substring(0, 12) + "...; " + remedy);
        }
    }

    /** Sum of each file by its name, in the order of the list. */
    static Map<String, String> sums() throws IOException {
        Map<String, String> sums = new LinkedHashMap<>();
        new String(resource(SUMS), StandardCharsets.UTF_8).lines().forEach(line -> {
            String[] parts = line.split("  ", 2);
            sums.put(parts[1], parts[0]);
        });
        return sums;
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream stream = ShippedModels.class.getResourceAsStream(FOLDER + name)) {
            if (stream == null) {
                throw new BadInputException("shipped model file " + name + ": missing; install diva anew");
            }
            return stream.readAllBytes();
        }
    }
}
