package dev.diva.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What people write for a model: a file, a folder, or a name on the hub whose files are in the hub's cache. */
public final class Models {
    private static final String HASH = "[0-9a-f]{32,64}";
    private static final Pattern READ = Pattern.compile(".*\\.(json|txt|model|safetensors|bin|pt)");
    private static final int DEPTH = 2; // of files in parts of a model

    private Models() {}

    /** The file or folder of a model; a file or folder of that name comes first. The network is not used. */
    public static Path resolve(String given) {
        return resolve(given, System.getenv());
    }

    /**
     * The same in another environment.
     *
     * @return as given where it is the name of no model on the hub
     * @throws BadInputException if it has the form of such a name, and neither such a file nor such a model is there; for an address; for a link in a
     *     model that leads nowhere
     */
    static Path resolve(String given, Map<String, String> environment) {
        if (Address.is(given)) {
            throw new BadInputException(Address.withoutSecrets(given)
                    + ": an address, expected a file or folder of this machine or a name on the hub"
                    + " (ORG/NAME); copy it first");
        }
        Path path = Path.of(given);
        Optional<HubName> name = HubName.parse(given);
        if (Files.exists(path) || name.isEmpty()) {
            return whole(path);
        }
        HubCache cache = HubCache.of(environment);
        return cache.snapshot(name.get())
                .map(Models::whole)
                .orElseThrow(() -> new BadInputException(given
                        + ": no such file or folder, and no such model in the hub's cache " + cache.root()
                        + "; bring it with: diva pull " + name.get() + others(cache, name.get())));
    }

    /** What a cache without a reference to main has of a model, for a message. */
    private static String others(HubCache cache, HubName name) {
        List<String> commits = name.toString().equals(name.id()) ? cache.commits(name) : List.of();
        return commits.isEmpty()
                ? ""
                : ", or name one of the commits that are there: " + name.id() + "@" + String.join(", @", commits);
    }

    /**
     * The file or folder of a model that another file names, which may mean it relative to the working directory, to its own folder, or to where that
     * lies; or a model in the hub's cache.
     *
     * @param folder of that other file
     * @param name a path, or {@code ORG/NAME}; nothing is found by an empty one
     * @param revision on the hub; empty for the one that the name has, or main
     */
    public static Optional<Path> near(Path folder, String name, String revision) {
        if (name.isEmpty() || name.indexOf('\0') >= 0) {
            return Optional.empty();
        }
        Path inside = folder.toAbsolutePath().normalize();
        return Stream.of(Path.of(name), inside.resolve(name), inside.resolveSibling(name))
                .filter(Files::exists)
                .findFirst()
                .or(() -> HubName.parse(revision.isEmpty() ? name : name + "@" + revision)
                        .flatMap(HubCache.of(System.getenv())::snapshot))
                .map(Models::whole);
    }

    /** A model whose links lead somewhere: a file behind one that does not would be taken for one that the model does not have. */
    private static Path whole(Path model) {
        if (!Files.isDirectory(model)) {
            return model;
        }
        Optional<Path> broken;
        try (Stream<Path> links = Files.find(
                model.toRealPath(),
                DEPTH,
                (file, attributes) -> attributes.isSymbolicLink()
                        && READ.matcher(file.toString()).matches()
                        && !Files.exists(file))) {
            broken = links.sorted().findFirst();
        } catch (IOException | UncheckedIOException e) {
            return model; // told by who reads it
        }
        if (broken.isEmpty()) {
            return model;
        }
        throw new BadInputException(broken.get() + ": a link to a file that is not there; "
                + HubName.of(broken.get())
                        .map(name -> "bring it with: diva pull " + name + ", or ")
                        .orElse("")
                + "remove the link if the model does without");
    }

    /**
     * Records under {@code hub} which of a run's models come out of the hub's cache: name and commit, under the key of the recipe.
     *
     * @param recipe keys and values; a model's is a file or folder, or null
     */
    public static void record(ObjectNode facts, JsonNode recipe, String... keys) {
        for (String key : keys) {
            if (recipe.path(key).isTextual()) {
                HubName.of(Path.of(recipe.path(key).textValue()))
                        .ifPresent(name -> facts.withObject("/hub").put(key, name.toString()));
            }
        }
    }

    /** What a model is called in tables: {@code ORG/NAME} out of the hub's cache, else its last folder that is no hash. */
    public static String label(Path path) {
        Optional<HubName> name = HubName.of(path);
        if (name.isPresent()) {
            return name.get().id();
        }
        Path place = path.toAbsolutePath().normalize();
        while (place.getParent() != null && place.getFileName().toString().matches(HASH)) {
            place = place.getParent();
        }
        return place.getFileName() == null
                ? place.toString()
                : place.getFileName().toString();
    }
}
