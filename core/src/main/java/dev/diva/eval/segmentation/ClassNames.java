package dev.diva.eval.segmentation;

import dev.diva.BadInputException;
import dev.diva.PythonStrings;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Names that pixels may get. */
public final class ClassNames {
    private ClassNames() {}

    /**
     * Refuses no class, an empty name, and names that differ in nothing that a text tower sees: in white space or case alone.
     *
     * @param place where they were given, for messages: a file or an option
     * @throws BadInputException naming place and class
     */
    public static void require(List<String> names, String place) {
        if (names.isEmpty()) {
            throw new BadInputException(place + ": no class is given; expected at least one name");
        }
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i);
            if (name == null || name.isBlank()) {
                throw new BadInputException(place + ": class " + (i + 1) + " of " + names.size() + " has no name");
            }
            if (!seen.add(String.join(" ", PythonStrings.words(name)).toLowerCase(Locale.ROOT))) {
                throw new BadInputException(
                        place + ": class \"" + name.strip() + "\" is given twice; give each name once");
            }
        }
    }
}
