package dev.diva.eval;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The first samples of a set, in the order in which it is read; the result says that it is of a part. */
public final class First {
    private First() {}

    /** The first images of a set with classes. */
    public static ClassificationSet of(ClassificationSet set, int count) {
        return new ClassificationSet() {
            @Override
            public String name() {
                return set.name();
            }

            @Override
            public boolean isMultilabel() {
                return set.isMultilabel();
            }

            @Override
            public List<String> classNames() {
                return set.classNames();
            }

            @Override
            public List<String> templates() {
                return set.templates();
            }

            @Override
            public void readLabels(Consumer<LabelledImage> consumer) {
                set.readLabels(upTo(count, consumer));
            }

            @Override
            public List<String> warnings() {
                return told(set.name(), count + " images", set.warnings());
            }
        };
    }

    /** The first images of a set with captions. */
    public static CaptionSet of(CaptionSet set, int count) {
        return new CaptionSet() {
            @Override
            public String name() {
                return set.name();
            }

            @Override
            public void readCaptions(Consumer<CaptionedImage> consumer) {
                set.readCaptions(upTo(count, consumer));
            }

            @Override
            public List<String> warnings() {
                return told(set.name(), count + " images", set.warnings());
            }
        };
    }

    /** The first pairs of a benchmark. */
    public static MmvpSet of(MmvpSet set, int count) {
        return new MmvpSet(
                set.folder(),
                set.pairs().subList(0, Math.min(count, set.pairs().size())),
                set.pairsListed(),
                told(set.folder().toString(), count + " pairs", set.warnings()));
    }

    private static <T> Consumer<T> upTo(int count, Consumer<T> consumer) {
        int[] taken = {0};
        return sample -> {
            if (taken[0]++ < count) {
                consumer.accept(sample);
            }
        };
    }

    private static List<String> told(String name, String part, List<String> warnings) {
        List<String> all = new ArrayList<>(List.of(name + ": the first " + part + " only (--limit)"));
        all.addAll(warnings);
        return all;
    }
}
