package dev.diva.data;

import dev.diva.BadInputException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * One sample of a webdataset tar: consecutive members with the same path up to the first dot of the base name.
 *
 * @param files by suffix: what follows that dot, in lower case
 */
public record TarSample(String key, Map<String, ImageEntry> files) {
    private static final List<String> IMAGES = List.of("webp", "png", "jpg", "jpeg");

    /** The samples of a tar in their order; members without a dot are left out, samples with a suffix twice reported and left out. */
    public static List<TarSample> read(DataFile tar, Consumer<DataProblem> problems) {
        List<TarSample> samples = new ArrayList<>();
        String key = null;
        Map<String, ImageEntry> files = new LinkedHashMap<>();
        boolean duplicate = false;
        for (TarIndex.Member member : TarIndex.read(tar, problems)) {
            int dot = member.name().indexOf('.', member.name().lastIndexOf('/') + 1);
            if (dot < 0) {
                continue;
            }
            String next = member.name().substring(0, dot);
            if (!next.equals(key)) {
                close(samples, key, files, duplicate);
                key = next;
                files = new LinkedHashMap<>();
                duplicate = false;
            }
            String suffix = member.name().substring(dot + 1).toLowerCase(Locale.ROOT);
            if (files.putIfAbsent(suffix, member.entry()) != null) {
                duplicate = true;
                problems.accept(
                        new DataProblem(member.entry().name(), "its sample has the suffix ." + suffix + " twice"));
            }
        }
        close(samples, key, files, duplicate);
        return samples;
    }

    private static void close(List<TarSample> samples, String key, Map<String, ImageEntry> files, boolean duplicate) {
        if (key != null && !duplicate) {
            samples.add(new TarSample(key, Map.copyOf(files)));
        }
    }

    /**
     * The image: the first of webp, png, jpg and jpeg.
     *
     * @throws BadInputException if there is none
     */
    public ImageEntry image() {
        return IMAGES.stream()
                .filter(files::containsKey)
                .findFirst()
                .map(files::get)
                .orElseThrow(() -> new BadInputException(key + ": the sample has no image (."
                        + String.join(", .", IMAGES) + "), only " + files.keySet()));
    }
}
