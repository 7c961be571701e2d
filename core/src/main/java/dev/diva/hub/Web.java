package dev.diva.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import javax.net.ssl.SSLException;

/**
 * HTTP through the proxies of the environment. Follows redirects itself, so that what lets a user in goes to the host that it is for and
 * to no other; waits and tries again where a server is busy or a connection breaks.
 */
final class Web {
    private static final int REDIRECTS = 10;
    private static final int TRIES_OF_A_NAME = 3;
    private static final Duration CONNECT = Duration.ofSeconds(30);
    private static final Duration ANSWER = Duration.ofMinutes(2);
    private static final long LONGEST_PAUSE_SECONDS = 300;

    private final HttpClient http;
    private final Patience patience;

    /**
     * How long to try.
     *
     * @param first pause in milliseconds, twice as long after each try
     */
    record Patience(int tries, long first) {
        /** Waits before the try behind this one, which counts from 1. */
        void pause(int attempt) {
            sleep(first << (attempt - 1));
        }
    }

    /**
     * What is asked for.
     *
     * @param range value of the header, or null for all
     * @param authorization value of that header for a host, if any
     * @param follows whether a redirect there is followed
     */
    record Request(
            URI uri,
            String method,
            String range,
            Function<URI, Optional<String>> authorization,
            Predicate<URI> follows) {}

    Web(Map<String, String> environment, Patience patience) {
        this.patience = patience;
        this.http = HttpClient.newBuilder()
                .connectTimeout(CONNECT)
                .followRedirects(HttpClient.Redirect.NEVER)
                .version(HttpClient.Version.HTTP_1_1)
                .proxy(new EnvironmentProxies(environment))
                .build();
    }

    Patience patience() {
        return patience;
    }

    /** The answer; the caller closes its body. */
    HttpResponse<InputStream> send(Request request) {
        for (int attempt = 1; ; attempt++) {
            try {
                HttpResponse<InputStream> response = followed(request);
                int code = response.statusCode();
                if ((code != 429 && code < 500) || attempt == patience.tries) {
                    return response;
                }
                close(response);
                Optional<Long> asked = retryAfter(response);
                if (asked.isPresent()) {
                    sleep(asked.get() * 1000);
                } else {
                    patience.pause(attempt);
                }
            } catch (IOException e) {
                if (attempt >= tries(e)) {
                    throw new UncheckedIOException(new IOException(failure(request.uri(), e), e));
                }
                patience.pause(attempt);
            }
        }
    }

    private int tries(IOException e) {
        return e instanceof SSLException ? 1 : isUnknownHost(e) ? TRIES_OF_A_NAME : patience.tries;
    }

    private static boolean isUnknownHost(IOException e) {
        return e.getCause() instanceof UnresolvedAddressException
                || (e.getCause() != null && e.getCause().getCause() instanceof UnresolvedAddressException);
    }

    private static String failure(URI uri, IOException e) {
        if (isUnknownHost(e)) {
            return uri.getHost() + ": no such host is known; check the name and the network";
        }
        return uri.getHost() + ": no answer: " + reason(e) + "; try again later";
    }

    /** Why, where an exception may have no words. */
    static String reason(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    private HttpResponse<InputStream> followed(Request request) throws IOException {
        URI uri = request.uri;
        for (int i = 0; i < REDIRECTS; i++) {
            HttpResponse<InputStream> response = send(request, uri);
            Optional<String> location = response.headers().firstValue("Location");
            if (response.statusCode() / 100 != 3 || location.isEmpty()) {
                return response;
            }
            URI next = next(uri, location.get());
            if (!request.follows.test(next)) {
                return response;
            }
            close(response);
            uri = next;
        }
        throw new IOException("more than " + REDIRECTS + " redirects");
    }

    private static URI next(URI from, String location) throws IOException {
        URI next;
        try {
            next = from.resolve(location);
        } catch (IllegalArgumentException e) {
            throw new IOException("a redirect to what is no address", e);
        }
        String scheme = String.valueOf(next.getScheme()).toLowerCase(Locale.ROOT);
        if (!List.of("http", "https").contains(scheme)
                || (from.getScheme().equalsIgnoreCase("https") && !scheme.equals("https"))) {
            throw new IOException("a redirect to " + scheme + " is not followed");
        }
        return next;
    }

    private HttpResponse<InputStream> send(Request request, URI uri) throws IOException {
        HttpRequest.Builder builder = HttpRequest.newBuilder(uri)
                .timeout(ANSWER)
                .method(request.method, HttpRequest.BodyPublishers.noBody())
                .header("Accept-Encoding", "identity")
                .header("User-Agent", "diva");
        request.authorization.apply(uri).ifPresent(value -> builder.header("Authorization", value));
        if (request.range != null) {
            builder.header("Range", request.range);
        }
        try {
            return http.send(builder.build(), PatientBody.handler(ANSWER));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("stopped", e);
        }
    }

    private static Optional<Long> retryAfter(HttpResponse<?> response) {
        return response.headers()
                .firstValue("Retry-After")
                .filter(text -> text.matches("\\d{1,6}"))
                .map(text -> Math.min(LONGEST_PAUSE_SECONDS, Long.parseLong(text)));
    }

    private static void sleep(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("stopped", e);
        }
    }

    /** Gives up what is left of an answer. */
    static void close(HttpResponse<InputStream> response) {
        try {
            response.body().close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
