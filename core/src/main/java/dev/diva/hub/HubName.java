package dev.diva.hub;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model of the hub.
 *
 * @param id {@code ORG/NAME}
 * @param revision a branch, a tag or a commit
 */
public record HubName(String id, String revision) {
    private static final String DEFAULT_REVISION = "main";
    /** As the hub allows them; the prefix is open_clip's. */
    private static final Pattern FORM = Pattern.compile(
            "(?:hf-hub:)?([A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*)(?:@([A-Za-z0-9._/-]+))?");

    private static final Pattern SNAPSHOT = Pattern.compile("models--(.+?)--(.+)");

    /** The model that a text names by its form, {@code [hf-hub:]ORG/NAME[@REVISION]}; whether there is one is not asked. */
    public static Optional<HubName> parse(String text) {
        Matcher parts = FORM.matcher(text);
        if (!parts.matches() || text.contains("..") || text.contains("--")) {
            return Optional.empty();
        }
        String revision = parts.group(2) == null ? DEFAULT_REVISION : parts.group(2);
        return revision.startsWith("/") || revision.endsWith("/")
                ? Optional.empty()
                : Optional.of(new HubName(parts.group(1), revision));
    }

    /** The model, at its commit, in whose place in a cache a file or folder lies. */
    public static Optional<HubName> of(Path path) {
        Path whole = path.toAbsolutePath().normalize();
        for (int i = 0; i + 2 < whole.getNameCount(); i++) {
            Matcher folder = SNAPSHOT.matcher(whole.getName(i).toString());
            if (folder.matches() && whole.getName(i + 1).toString().equals(HubCache.SNAPSHOTS)) {
                return Optional.of(new HubName(
                        folder.group(1) + "/" + folder.group(2),
                        whole.getName(i + 2).toString()));
            }
        }
        return Optional.empty();
    }

    /** The name of the model's folder in a cache. */
    String folder() {
        return "models--" + id.replace("/", "--");
    }

    /** As it is written on a command line. */
    @Override
    public String toString() {
        return revision.equals(DEFAULT_REVISION) ? id : id + "@" + revision;
    }
}
