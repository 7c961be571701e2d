package dev.diva.hub;

import dev.diva.BadInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Talks to a hub. Follows redirects itself, so that a token goes to the hub alone and to no host that it sends one to; waits and tries
 * again where the hub is busy or the connection breaks.
 */
final class HubClient {
    private static final int TRIES = 5;
    private static final int REDIRECTS = 10;
    private static final Duration CONNECT = Duration.ofSeconds(30);
    private static final Duration ANSWER = Duration.ofMinutes(2);
    private static final long LONGEST_PAUSE_SECONDS = 300;

    private final URI endpoint;
    private final String token; // null without one
    private final HttpClient http;

    /**
     * The hub of the environment: {@code HF_ENDPOINT}, with the token of {@code HF_TOKEN} or the token file, through the proxies of
     * {@code HTTPS_PROXY}, {@code HTTP_PROXY} and {@code NO_PROXY}.
     */
    HubClient(Map<String, String> environment) {
        if (List.of("1", "true", "yes", "on")
                .contains(environment.getOrDefault("HF_HUB_OFFLINE", "").toLowerCase(Locale.ROOT))) {
            throw new BadInputException("HF_HUB_OFFLINE is set: the network is not used; unset it to bring models");
        }
        this.endpoint = endpoint(environment.getOrDefault("HF_ENDPOINT", ""));
        this.token = token(environment).orElse(null);
        this.http = HttpClient.newBuilder()
                .connectTimeout(CONNECT)
                .followRedirects(HttpClient.Redirect.NEVER)
                .version(HttpClient.Version.HTTP_1_1)
                .proxy(new EnvironmentProxies(environment))
                .build();
    }

    private static URI endpoint(String given) {
        String text = given.isBlank() ? "https://huggingface.co" : given.strip();
        try {
            URI uri = URI.create(text.replaceAll("/+$", ""));
            if (uri.getHost() != null && List.of("http", "https").contains(uri.getScheme())) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            throw new BadInputException(
                    "HF_ENDPOINT is \"" + given + "\", expected an address such as https://HOST", e);
        }
        throw new BadInputException("HF_ENDPOINT is \"" + given + "\", expected an address such as https://HOST");
    }

    private static Optional<String> token(Map<String, String> environment) {
        String given = environment.getOrDefault("HF_TOKEN", environment.getOrDefault("HUGGING_FACE_HUB_TOKEN", ""));
        if (!given.isBlank()) {
            return Optional.of(given.strip());
        }
        String path = environment.getOrDefault("HF_TOKEN_PATH", "");
        Path file = path.isBlank() ? HubCache.home(environment).resolve("token") : Path.of(path);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Files.readString(file).strip()).filter(text -> !text.isEmpty());
        } catch (IOException e) {
            throw new BadInputException(file + ": the token cannot be read: " + e.getMessage(), e);
        }
    }

    /** An address of the hub; the path begins with a slash and is quoted already. */
    URI at(String path) {
        return URI.create(endpoint + path);
    }

    boolean hasToken() {
        return token != null;
    }

    /** Headers alone, from the hub itself: of a redirect to another host the headers of the redirect. */
    HttpResponse<InputStream> head(URI uri) {
        HttpResponse<InputStream> response = retried(uri, "HEAD", 0, false);
        close(response);
        return response;
    }

    /**
     * Content from a byte on, wherever the hub sends one for it; the caller closes it. Code 200 means that the server gives all of it,
     * 206 from that byte on.
     */
    HttpResponse<InputStream> get(URI uri, long from) {
        return retried(uri, "GET", from, true);
    }

    private HttpResponse<InputStream> retried(URI uri, String method, long from, boolean anywhere) {
        for (int attempt = 1; ; attempt++) {
            try {
                HttpResponse<InputStream> response = followed(uri, method, from, anywhere);
                int code = response.statusCode();
                if ((code != 429 && code < 500) || attempt == TRIES) {
                    return response;
                }
                close(response);
                pause(retryAfter(response).orElse(1L << (attempt - 1)));
            } catch (IOException e) {
                if (attempt == TRIES) {
                    throw new UncheckedIOException(
                            new IOException(uri.getHost() + ": no answer: " + reason(e) + "; try again later", e));
                }
                pause(1L << (attempt - 1));
            }
        }
    }

    private static String reason(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    private HttpResponse<InputStream> followed(URI first, String method, long from, boolean anywhere)
            throws IOException {
        URI uri = first;
        for (int i = 0; i < REDIRECTS; i++) {
            HttpResponse<InputStream> response = send(uri, method, from);
            Optional<String> location = response.headers().firstValue("Location");
            if (response.statusCode() / 100 != 3 || location.isEmpty()) {
                return response;
            }
            URI next = uri.resolve(location.get());
            if (!anywhere && !isHub(next)) {
                return response;
            }
            if (!List.of("http", "https").contains(next.getScheme())
                    || (uri.getScheme().equals("https") && !next.getScheme().equals("https"))) {
                throw new IOException("a redirect to " + next.getScheme() + " is not followed");
            }
            close(response);
            uri = next;
        }
        throw new IOException("more than " + REDIRECTS + " redirects");
    }

    private HttpResponse<InputStream> send(URI uri, String method, long from) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .timeout(ANSWER)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .header("Accept-Encoding", "identity")
                .header("User-Agent", "diva");
        if (token != null && isHub(uri)) {
            request.header("Authorization", "Bearer " + token);
        }
        if (from > 0) {
            request.header("Range", "bytes=" + from + "-");
        }
        try {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("stopped", e);
        }
    }

    private boolean isHub(URI uri) {
        return endpoint.getScheme().equals(uri.getScheme())
                && endpoint.getHost().equalsIgnoreCase(uri.getHost())
                && endpoint.getPort() == uri.getPort();
    }

    private static Optional<Long> retryAfter(HttpResponse<?> response) {
        return response.headers()
                .firstValue("Retry-After")
                .filter(text -> text.matches("\\d{1,6}"))
                .map(text -> Math.min(LONGEST_PAUSE_SECONDS, Long.parseLong(text)));
    }

    private static void pause(long seconds) {
        try {
            Thread.sleep(Duration.ofSeconds(seconds).toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("stopped", e);
        }
    }

    private static void close(HttpResponse<InputStream> response) {
        try {
            response.body().close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Proxies as other command-line programs take them from the environment. */
    private static final class EnvironmentProxies extends ProxySelector {
        private final Map<String, String> environment;

        EnvironmentProxies(Map<String, String> environment) {
            this.environment = environment;
        }

        private String value(String name) {
            return environment.getOrDefault(name.toLowerCase(Locale.ROOT), environment.getOrDefault(name, ""));
        }

        @Override
        public List<Proxy> select(URI uri) {
            String given = value(uri.getScheme().toUpperCase(Locale.ROOT) + "_PROXY");
            String text = given.isBlank() ? value("ALL_PROXY") : given;
            if (text.isBlank() || isExcepted(uri.getHost())) {
                return List.of(Proxy.NO_PROXY);
            }
            URI proxy = URI.create(text.contains("://") ? text : "http://" + text);
            int port = proxy.getPort() < 0 ? 80 : proxy.getPort();
            return List.of(new Proxy(Proxy.Type.HTTP, new InetSocketAddress(proxy.getHost(), port)));
        }

        private boolean isExcepted(String host) {
            for (String entry : value("NO_PROXY").split(",")) {
                String name = entry.strip().replaceFirst("^\\*?\\.", "").replaceFirst(":\\d+$", "");
                if (!name.isEmpty() && (name.equals("*") || host.equals(name) || host.endsWith("." + name))) {
                    return true;
                }
            }
            return false;
        }

        @Override
        public void connectFailed(URI uri, SocketAddress address, IOException failure) {
            // the request itself fails with the reason
        }
    }
}
