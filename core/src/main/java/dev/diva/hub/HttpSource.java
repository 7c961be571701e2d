package dev.diva.hub;

import dev.diva.BadInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Files of HTTP servers, by {@code Range} of RFC 9110. */
final class HttpSource implements RemoteSource {
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (?:(\\d+)-\\d+|\\*)/(\\d+)");

    private final Web web;
    private final Logins logins;

    HttpSource(Map<String, String> environment, Web web) {
        this.web = web;
        this.logins = new Logins(environment);
    }

    @Override
    public Answer get(String address, long from, long count) {
        String name = Address.withoutSecrets(address);
        URI file = uri(address, name);
        HttpResponse<InputStream> response = web.send(new Web.Request(
                withoutLogin(address),
                "GET",
                "bytes=" + from + "-" + (from + count - 1),
                asked -> logins.authorization(file, asked),
                next -> true));
        int code = response.statusCode();
        if (code == 200) {
            long size = response.headers().firstValueAsLong("Content-Length").orElse(-1);
            return new Answer(size, version(response.headers()), true, response.body());
        }
        Matcher range = CONTENT_RANGE.matcher(
                response.headers().firstValue("Content-Range").orElse(""));
        if (code == 206 && range.matches() && Long.toString(from).equals(range.group(1))) {
            return new Answer(Long.parseLong(range.group(2)), version(response.headers()), false, response.body());
        }
        Web.close(response);
        if (code == 416) {
            return Answer.beyond(range.matches() ? Long.parseLong(range.group(2)) : 0);
        }
        throw refused(file, name, code);
    }

    private RuntimeException refused(URI file, String name, int code) {
        return switch (code) {
            case 401, 403 ->
                new BadInputException(name + ": the server refuses it (" + code + "); looked for " + logins.places(file)
                        + "; a signed address may have expired");
            case 404, 410 -> new MissingFileException(name + ": no such file on the server (" + code + ")");
            case 206 -> new BadInputException(name + ": the server gives another part than it was asked for");
            case 429, 500, 502, 503, 504 ->
                new UncheckedIOException(
                        new IOException(name + ": the server is busy (" + code + "); try again later"));
            default -> new BadInputException(name + ": the server answers " + code);
        };
    }

    private static URI uri(String address, String name) {
        try {
            URI uri = URI.create(address);
            if (uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            throw new BadInputException(name + ": no address; blanks and other marks are written as %20", null);
        }
        throw new BadInputException(name + ": an address without a host");
    }

    private static URI withoutLogin(String address) {
        return URI.create(address.replaceFirst("//[^/?#@]*@", "//").replaceFirst("#.*", ""));
    }

    private static String version(HttpHeaders headers) {
        return headers.firstValue("ETag")
                .or(() -> headers.firstValue("Last-Modified"))
                .orElse("");
    }
}
