package dev.diva.hub;

import dev.diva.BadInputException;
import dev.diva.hub.Web.Request;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Talks to a hub: a token goes to the hub alone and to no host that it sends one to. */
final class HubClient {
    private static final Web.Patience PATIENCE = new Web.Patience(5, 1000);

    private final URI endpoint;
    private final String token; // null without one
    private final Web web;

    /**
     * The hub of the environment: {@code HF_ENDPOINT}, with the token of {@code HF_TOKEN} or the token file, through the proxies of
     * {@code HTTPS_PROXY}, {@code HTTP_PROXY} and {@code NO_PROXY}.
     */
    HubClient(Map<String, String> environment) {
        if (List.of("1", "true", "yes", "on")
                .contains(environment.getOrDefault("HF_HUB_OFFLINE", "").toLowerCase(Locale.ROOT))) {
            throw new BadInputException("HF_HUB_OFFLINE is set: the network is not used; unset it to bring models");
        }
        this.endpoint = endpoint(environment);
        this.token = token(environment).orElse(null);
        this.web = new Web(environment, PATIENCE);
    }

    /** Where the hub is. */
    static URI endpoint(Map<String, String> environment) {
        String given = environment.getOrDefault("HF_ENDPOINT", "");
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

    /** What lets a user in. */
    static Optional<String> token(Map<String, String> environment) {
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
        HttpResponse<InputStream> response =
                web.send(new Request(uri, "HEAD", null, this::authorization, next -> isAt(endpoint, next)));
        Web.close(response);
        return response;
    }

    /**
     * Content from a byte on, wherever the hub sends one for it; the caller closes it. Code 200 means that the server gives all of it,
     * 206 from that byte on.
     */
    HttpResponse<InputStream> get(URI uri, long from) {
        String range = from > 0 ? "bytes=" + from + "-" : null;
        return web.send(new Request(uri, "GET", range, this::authorization, next -> true));
    }

    private Optional<String> authorization(URI uri) {
        return token != null && isAt(endpoint, uri) ? Optional.of("Bearer " + token) : Optional.empty();
    }

    /** Whether an address is of a hub itself. */
    static boolean isAt(URI endpoint, URI uri) {
        return endpoint.getScheme().equals(uri.getScheme())
                && endpoint.getHost().equalsIgnoreCase(uri.getHost())
                && endpoint.getPort() == uri.getPort();
    }
}
