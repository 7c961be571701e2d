package dev.diva.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/** A hub with one model, ORG/NAME, that keeps large files on another host, as the real one does. */
final class HubServer implements AutoCloseable {
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    static final int LARGE = 1000;

    private final HttpServer hub = server();
    private final HttpServer store = server();
    private final Map<String, byte[]> files = new TreeMap<>();

    /** Requests as {@code HOST METHOD PATH [range] [token]}. */
    final List<String> requests = new CopyOnWriteArrayList<>();
    /** Codes that are answered before anything else. */
    final List<Integer> failures = new CopyOnWriteArrayList<>();
    /** So many next answers of the store break off in the middle. */
    int cuts;
    /** What the store gives in the place of a large file. */
    byte[] other;
    /** Without it there is no access. */
    String token;

    HubServer() throws IOException {
        hub.createContext("/", exchange -> answer("hub", exchange));
        store.createContext("/", exchange -> answer("store", exchange));
        hub.start();
        store.start();
    }

    private static HttpServer server() {
        try {
            return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    String endpoint() {
        return "http://localhost:" + hub.getAddress().getPort();
    }

    HubServer with(String name, byte[] content) {
        files.put(name, content);
        return this;
    }

    private void answer(String host, HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            String range = exchange.getRequestHeaders().getFirst("Range");
            String sent = exchange.getRequestHeaders().getFirst("Authorization");
            requests.add(host + " " + exchange.getRequestMethod() + " " + path + (range == null ? "" : " " + range)
                    + (sent == null ? "" : " " + sent));
            if (!failures.isEmpty()) {
                exchange.getResponseHeaders().set("Retry-After", "0");
                exchange.sendResponseHeaders(failures.remove(0), -1);
            } else if (host.equals("store")) {
                content(exchange, other == null ? files.get(path.substring(1)) : other, range);
            } else if (token != null && !("Bearer " + token).equals(sent)) {
                exchange.sendResponseHeaders(sent == null ? 401 : 403, -1);
            } else if (path.equals("/api/models/ORG/NAME/revision/main")) {
                byte[] body = revision().getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
            } else if (path.startsWith("/ORG/NAME/resolve/" + COMMIT + "/")) {
                file(exchange, path.substring(("/ORG/NAME/resolve/" + COMMIT + "/").length()), range);
            } else {
                exchange.sendResponseHeaders(404, -1);
            }
        }
    }

    private String revision() {
        return "{\"sha\": \"" + COMMIT + "\", \"siblings\": ["
                + files.keySet().stream()
                        .map(name -> "{\"rfilename\": \"" + name + "\"}")
                        .collect(Collectors.joining(", "))
                + "]}";
    }

    private void file(HttpExchange exchange, String name, String range) throws IOException {
        byte[] content = files.get(name);
        if (content == null) {
            exchange.sendResponseHeaders(404, -1);
        } else if (content.length < LARGE) {
            exchange.getResponseHeaders().set("ETag", "\"" + etag(content) + "\"");
            exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
            content(exchange, content, range);
        } else {
            exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + etag(content) + "\"");
            exchange.getResponseHeaders().set("X-Linked-Size", String.valueOf(content.length));
            exchange.getResponseHeaders().set("ETag", "\"of-the-redirect\"");
            exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
            exchange.getResponseHeaders()
                    .set("Location", "http://127.0.0.1:" + store.getAddress().getPort() + "/" + name);
            exchange.sendResponseHeaders(302, -1);
        }
    }

    private void content(HttpExchange exchange, byte[] content, String range) throws IOException {
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(content.length));
            exchange.sendResponseHeaders(200, -1);
            return;
        }
        int from = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
        exchange.sendResponseHeaders(range == null ? 200 : 206, content.length - from);
        boolean cut = cuts > 0;
        cuts = Math.max(0, cuts - 1);
        exchange.getResponseBody().write(content, from, cut ? (content.length - from) / 2 : content.length - from);
    }

    /** SHA-256 of a large file, git's hash of a small one. */
    static String etag(byte[] content) {
        try {
            if (content.length >= LARGE) {
                return HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256").digest(content));
            }
            MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
            sha1.update(("blob " + content.length + "\0").getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(sha1.digest(content));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        Arrays.setAll(new Integer[length], i -> {
            bytes[i] = (byte) (i * 31 + i / 7);
            return 0;
        });
        return bytes;
    }

    List<String> requests(String prefix) {
        return new ArrayList<>(requests)
                .stream().filter(line -> line.startsWith(prefix)).toList();
    }

    @Override
    public void close() {
        hub.stop(0);
        store.stop(0);
    }
}
