package dev.diva.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Files behind HTTP as servers of data give them: ranges, entity tags, redirects to another host, refusals and broken connections. */
public final class DataServer implements AutoCloseable {
    private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d+)");

    private final HttpServer server;
    private final Map<String, byte[]> files = new ConcurrentHashMap<>();

    /** Requests as {@code METHOD PATH [RANGE] [AUTHORIZATION]}. */
    public final List<String> requests = new CopyOnWriteArrayList<>();
    /** Codes that are answered before anything else. */
    public final List<Integer> failures = new CopyOnWriteArrayList<>();
    /** So many next answers break off in the middle. */
    public volatile int cuts;
    /** Whether parts of files are given. */
    public volatile boolean ranges = true;
    /** Whether the length of a whole file is said. */
    public volatile boolean lengths = true;
    /** What lets a user in, by its start; null for anybody. */
    public volatile String authorization;
    /** Where everything leads to: another server; null for here. */
    public volatile String elsewhere;

    public DataServer() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/", this::answer);
        server.setExecutor(Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        }));
        server.start();
    }

    public DataServer with(String name, byte... content) {
        files.put("/" + name, content);
        return this;
    }

    /** All files below a folder, by their paths in it. */
    public DataServer with(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.filter(Files::isRegularFile).toList()) {
                with(folder.relativize(path).toString(), Files.readAllBytes(path));
            }
        }
        return this;
    }

    /** Its address by this name of the machine. */
    public String at(String host) {
        return "http://" + host + ":" + server.getAddress().getPort();
    }

    /** Address of a file. */
    public String address(String name) {
        return at("localhost") + "/" + name;
    }

    /** Requests of a file. */
    public List<String> requests(String name) {
        return requests.stream()
                .filter(line -> (line + " ").startsWith("GET /" + name + " "))
                .toList();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            String range = exchange.getRequestHeaders().getFirst("Range");
            String sent = exchange.getRequestHeaders().getFirst("Authorization");
            requests.add(exchange.getRequestMethod() + " " + path + (range == null ? "" : " " + range)
                    + (sent == null ? "" : " " + sent));
            Integer failure = failure();
            byte[] content = files.get(path);
            if (failure != null) {
                exchange.getResponseHeaders().set("Retry-After", "0");
                exchange.sendResponseHeaders(failure, -1);
            } else if (authorization != null && (sent == null || !sent.startsWith(authorization))) {
                exchange.sendResponseHeaders(sent == null ? 401 : 403, -1);
            } else if (elsewhere != null) {
                exchange.getResponseHeaders().set("Location", elsewhere + path + "?Signature=hidden");
                exchange.sendResponseHeaders(302, -1);
            } else if (String.valueOf(exchange.getRequestURI().getQuery()).contains("list-type=2")) {
                list(exchange);
            } else if (content == null) {
                exchange.sendResponseHeaders(404, -1);
            } else {
                content(exchange, content, range);
            }
        }
    }

    /** A page of two keys of a bucket, as ListObjectsV2 of S3 gives it. */
    private void list(HttpExchange exchange) throws IOException {
        Map<String, String> query = new TreeMap<>();
        for (String part : exchange.getRequestURI().getRawQuery().split("&")) {
            String[] pair = part.split("=", 2);
            query.put(pair[0], URLDecoder.decode(pair[1], StandardCharsets.UTF_8));
        }
        String prefix = query.getOrDefault("prefix", "");
        String after = query.getOrDefault("continuation-token", "");
        String bucket = exchange.getRequestURI().getPath().replaceFirst("/*$", "/");
        List<String> keys = files.keySet().stream()
                .filter(name -> name.startsWith(bucket + prefix))
                .map(name -> name.substring(bucket.length()))
                .map(key -> query.containsKey("delimiter") && key.indexOf('/', prefix.length()) >= 0
                        ? key.substring(0, key.indexOf('/', prefix.length()) + 1)
                        : key)
                .distinct()
                .sorted()
                .filter(key -> key.compareTo(after) > 0)
                .toList();
        StringBuilder xml = new StringBuilder("<ListBucketResult><EncodingType>url</EncodingType>");
        for (String key : keys.subList(0, Math.min(2, keys.size()))) {
            String name = URLEncoder.encode(key, StandardCharsets.UTF_8);
            xml.append(
                    query.containsKey("delimiter") && key.endsWith("/")
                            ? "<CommonPrefixes><Prefix>" + name + "</Prefix></CommonPrefixes>"
                            : "<Contents><Key>" + name + "</Key></Contents>");
        }
        if (keys.size() > 2) {
            xml.append("<NextContinuationToken>").append(keys.get(1)).append("</NextContinuationToken>");
        }
        xml.append("<IsTruncated>").append(keys.size() > 2).append("</IsTruncated></ListBucketResult>");
        byte[] page = xml.toString().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, page.length);
        exchange.getResponseBody().write(page);
    }

    private synchronized Integer failure() {
        return failures.isEmpty() ? null : failures.remove(0);
    }

    private synchronized boolean cut() {
        cuts--;
        return cuts >= 0;
    }

    private void content(HttpExchange exchange, byte[] content, String range) throws IOException {
        exchange.getResponseHeaders().set("ETag", "\"" + Integer.toHexString(Arrays.hashCode(content)) + "\"");
        Matcher asked = RANGE.matcher(range == null ? "" : range);
        int from = 0;
        int to = content.length;
        int code = 200;
        if (ranges && asked.matches()) {
            from = Integer.parseInt(asked.group(1));
            to = Math.min(content.length, Integer.parseInt(asked.group(2)) + 1);
            code = 206;
            if (from >= content.length) {
                exchange.getResponseHeaders().set("Content-Range", "bytes */" + content.length);
                exchange.sendResponseHeaders(416, -1);
                return;
            }
            exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (to - 1) + "/" + content.length);
        }
        exchange.sendResponseHeaders(code, lengths ? to - from : 0);
        exchange.getResponseBody().write(content, from, cut() ? (to - from) / 2 : to - from);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
