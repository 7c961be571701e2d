package dev.diva.hub;

import dev.diva.BadInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.LongConsumer;

/**
 * A file of a model on the hub.
 *
 * @param name its path in the model
 * @param etag the name of its blob: SHA-256 of a large file, git's SHA-1 of a small one
 * @param size in bytes, -1 where the hub does not say
 */
record HubFile(String name, String etag, long size, URI uri) {
    private static final int TRIES = 5;
    private static final int BUFFER = 1 << 20;

    /** What the hub says of a file in the headers of an answer. */
    static HubFile of(String name, URI uri, HttpResponse<?> response) {
        HttpHeaders headers = response.headers();
        String etag = headers.firstValue("X-Linked-Etag")
                .or(() -> headers.firstValue("ETag"))
                .map(text -> text.replaceFirst("^W/", "").replace("\"", ""))
                .orElse("");
        if (!etag.matches("[A-Za-z0-9._-]+") || etag.startsWith(".")) {
            throw new BadInputException(uri + ": the hub names no usable ETag; is HF_ENDPOINT a hub?");
        }
        long size = headers.firstValueAsLong("X-Linked-Size")
                .orElseGet(() -> response.statusCode() == 200 // else it is the length of the answer itself
                        ? headers.firstValueAsLong("Content-Length").orElse(-1)
                        : -1);
        return new HubFile(name, etag, size, uri);
    }

    /**
     * Brings the content to a file, going on where an earlier attempt ended, and checks size and hash.
     *
     * @param progress hears how many bytes are there
     */
    void bring(HubClient client, Path incomplete, LongConsumer progress) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                if (!Files.exists(incomplete) || Files.size(incomplete) != size) {
                    append(client, incomplete, progress);
                }
                requireWhole(incomplete);
                return;
            } catch (IOException e) { // a connection was cut, or the file was another: what is there is gone on with
                if (attempt == TRIES) {
                    throw new IOException(name + ": " + e.getMessage() + "; call diva pull again to go on", e);
                }
            }
        }
    }

    private void append(HubClient client, Path incomplete, LongConsumer progress) throws IOException {
        long there = Files.exists(incomplete) ? Files.size(incomplete) : 0;
        if (size >= 0 && there > size) {
            Files.delete(incomplete);
            there = 0;
        }
        HttpResponse<InputStream> response = client.get(uri, there);
        try (InputStream in = response.body()) {
            if (response.statusCode() == 416) {
                Files.deleteIfExists(incomplete);
                throw new IOException("the server has no such part");
            }
            if (response.statusCode() != 200 && response.statusCode() != 206) {
                throw new IOException("the server answers " + response.statusCode());
            }
            boolean goesOn = response.statusCode() == 206 && there > 0;
            long done = goesOn ? there : 0;
            try (OutputStream out = goesOn
                    ? Files.newOutputStream(incomplete, StandardOpenOption.APPEND)
                    : Files.newOutputStream(incomplete)) {
                byte[] buffer = new byte[BUFFER];
                for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                    out.write(buffer, 0, count);
                    done += count;
                    if (size >= 0 && done > size) {
                        break;
                    }
                    progress.accept(done);
                }
            }
        }
    }

    private void requireWhole(Path file) throws IOException {
        long length = Files.size(file);
        if (size >= 0 && length < size) {
            throw new IOException("the connection ended after " + length + " of " + size + " bytes");
        }
        String hash = switch (etag.length()) {
            case 64 -> hash(file, "SHA-256", "");
            case 40 -> hash(file, "SHA-1", "blob " + length + "\0"); // git's own of a blob
            default -> etag;
        };
        if ((size >= 0 && length != size) || !hash.equalsIgnoreCase(etag)) {
            Files.delete(file);
            throw new IOException("what came is not what the hub names (hash " + hash + ", expected " + etag + ")");
        }
    }

    private static String hash(Path file, String algorithm, String before) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            digest.update(before.getBytes(StandardCharsets.ISO_8859_1));
            byte[] buffer = new byte[BUFFER];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                digest.update(buffer, 0, count);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
