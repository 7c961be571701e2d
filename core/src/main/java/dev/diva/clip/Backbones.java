package dev.diva.clip;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.diva.BadInputException;
import dev.diva.NearestName;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The table of published towers. A tower that is not in it works by its own config. */
public final class Backbones {
    private static final List<Backbone> ALL = read();

    private Backbones() {}

    /** Every row. */
    public static List<Backbone> all() {
        return ALL;
    }

    /**
     * The row of that id.
     *
     * @throws BadInputException with the nearest id when there is none
     */
    public static Backbone named(String id) {
        return ALL.stream()
                .filter(backbone -> backbone.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new BadInputException("backbone " + id + " is not known; nearest: "
                        + NearestName.of(id, ALL.stream().map(Backbone::id).toList())));
    }

    /**
     * The row that a checkpoint fits by its shape. Where several do, one of whose names is in the hint wins, then one that resizes alike.
     *
     * @param hint path and names of the checkpoint
     */
    public static Optional<Backbone> of(VisionConfig vision, Preprocessing preprocessing, String hint) {
        List<Backbone> fitting =
                ALL.stream().filter(backbone -> backbone.tower().fits(vision)).toList();
        String lower = hint.toLowerCase(Locale.ROOT);
        Optional<Backbone> named = fitting.stream()
                .filter(backbone -> backbone.names().stream().anyMatch(lower::contains))
                .findFirst();
        Optional<Backbone> resizedAlike = fitting.stream()
                .filter(backbone -> backbone.resize() == preprocessing.resize())
                .findFirst();
        return named.or(() -> resizedAlike).or(() -> fitting.stream().findFirst());
    }

    private static List<Backbone> read() {
        try (InputStream file = Backbones.class.getResourceAsStream("backbones.yaml")) {
            return List.copyOf(
                    new ObjectMapper(new YAMLFactory()).readValue(file, new TypeReference<List<Backbone>>() {}));
        } catch (IOException e) {
            throw new IllegalStateException("backbones.yaml is in the jar", e);
        }
    }
}
