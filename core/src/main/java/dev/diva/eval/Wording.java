package dev.diva.eval;

import dev.diva.BadInputException;
import java.util.List;

/**
 * Class names and templates that replace those of a data set.
 *
 * @param classNames in the order of the class indices; empty for the set's own
 * @param templates with the slot {@code {c}}; empty for the set's own
 */
public record Wording(List<String> classNames, List<String> templates) {
    /** What the data set says itself. */
    public static final Wording OWN = new Wording(List.of(), List.of());

    public Wording {
        classNames = List.copyOf(classNames);
        templates = List.copyOf(templates);
        if (classNames.stream().anyMatch(String::isBlank)) {
            throw new BadInputException("class names " + classNames + ": one is empty");
        }
        templates.forEach(template -> PromptEnsemble.requireSlot(template, "templates"));
    }
}
