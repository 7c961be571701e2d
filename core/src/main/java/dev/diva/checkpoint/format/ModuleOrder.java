package dev.diva.checkpoint.format;

import dev.diva.checkpoint.TensorInfo;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** The order in which a module lists its tensors: as the rules of its table stand, layer by layer, weight before bias. */
final class ModuleOrder {
    private ModuleOrder() {}

    private record Place(TensorInfo info, int block, int layer, int rule, String kind) {}

    static List<TensorInfo> sort(Collection<TensorInfo> ours, NameTable table) {
        List<Place> places = new ArrayList<>();
        ours.forEach(info -> places.add(place(info, table)));
        places.sort(Comparator.comparingInt(Place::block)
                .thenComparingInt(Place::layer)
                .thenComparingInt(Place::rule)
                .thenComparing(Place::kind, Comparator.reverseOrder()));
        return places.stream().map(Place::info).toList();
    }

    private static Place place(TensorInfo info, NameTable table) {
        for (int i = 0; i < table.rules().size(); i++) {
            NameRule rule = table.rules().get(i);
            NameRule.Match match = rule.matchOurs(info.name()).orElse(null);
            if (match != null) {
                int layer = match.layer().isEmpty() ? 0 : Integer.parseInt(match.layer());
                return new Place(info, block(table, i), layer, i, match.kind());
            }
        }
        return new Place(info, table.rules().size(), 0, 0, "");
    }

    /** Rules of the same layer stack belong together. */
    private static int block(NameTable table, int index) {
        String stack = stack(table.rules().get(index));
        int first = index;
        while (!stack.isEmpty()
                && first > 0
                && stack(table.rules().get(first - 1)).equals(stack)) {
            first--;
        }
        return first;
    }

    private static String stack(NameRule rule) {
        String pattern = rule.stored().get(0);
        return pattern.substring(0, Math.max(0, pattern.indexOf('#')));
    }
}
