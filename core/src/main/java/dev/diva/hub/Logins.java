package dev.diva.hub;

import dev.diva.BadInputException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.StringTokenizer;

/** What lets a user in at the host of a file: the login in its address, the token of the hub, or the machine's line in {@code ~/.netrc}. */
final class Logins {
    private final Path netrc;
    private final URI hub;
    private final Optional<String> token;

    Logins(Map<String, String> environment) {
        this.netrc = Path.of(environment.getOrDefault("NETRC", System.getProperty("user.home") + "/.netrc"));
        this.hub = HubClient.endpoint(environment);
        this.token = HubClient.token(environment);
    }

    /**
     * Value of the header for a host, if any.
     *
     * @param file address of the file, whose login counts for its own host
     * @param asked address that is asked, of that host or of one that it leads to
     */
    Optional<String> authorization(URI file, URI asked) {
        if (file.getRawUserInfo() != null && HubClient.isAt(file, asked)) {
            return Optional.of(basic(file.getUserInfo()));
        }
        if (HubClient.isAt(hub, asked)) {
            return token.map(value -> "Bearer " + value);
        }
        return asked.getHost().equalsIgnoreCase(file.getHost()) ? fromNetrc(asked.getHost()) : Optional.empty();
    }

    /** Where {@link #authorization} looks, for a message. */
    String places(URI file) {
        return HubClient.isAt(hub, file)
                ? "HF_TOKEN and the hub's token file"
                : "user:password@ in the address and machine " + file.getHost() + " in " + netrc;
    }

    private static String basic(String login) {
        return "Basic " + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8));
    }

    private Optional<String> fromNetrc(String host) {
        if (!Files.isRegularFile(netrc)) {
            return Optional.empty();
        }
        String text;
        try {
            text = Files.readString(netrc);
        } catch (IOException e) {
            throw new BadInputException(netrc + ": cannot be read: " + e.getMessage(), e);
        }
        StringTokenizer words = new StringTokenizer(text);
        boolean isHost = false;
        String login = "";
        while (words.hasMoreTokens()) {
            String word = words.nextToken();
            if (word.equals("machine") && words.hasMoreTokens()) {
                isHost = words.nextToken().equalsIgnoreCase(host);
            } else if (word.equals("default")) {
                isHost = true;
            } else if (word.equals("login") && words.hasMoreTokens()) {
                login = words.nextToken();
            } else if (word.equals("password") && words.hasMoreTokens()) {
                String password = words.nextToken();
                if (isHost) {
                    return Optional.of(basic(login + ":" + password));
                }
            }
        }
        return Optional.empty();
    }
}
