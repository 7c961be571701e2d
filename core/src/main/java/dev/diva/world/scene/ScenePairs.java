package dev.diva.world.scene;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/** Draws pairs for the nine patterns from the scenes of a split. */
public final class ScenePairs {
    private final SceneSampler sampler;

    public ScenePairs(SceneSampler sampler) {
        this.sampler = sampler;
    }

    /** The given number of pairs for each pattern, in the benchmark's order of patterns; no two pairs are of the same scene. */
    public List<ScenePair> pairs(int perPattern) {
        List<ScenePair> pairs = new ArrayList<>();
        for (Pattern pattern : Pattern.values()) {
            // patterns take their scenes from far apart, so that the pairs of one do not depend on how many another has
            pairs.addAll(pairs(pattern, perPattern, (1L + pairs.size() / Math.max(1, perPattern)) << 32));
        }
        return pairs;
    }

    private List<ScenePair> pairs(Pattern pattern, int count, long first) {
        List<ScenePair> pairs = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (long index = first; pairs.size() < count; index++) {
            Scene scene = sampler.scene(index);
            List<Facet> choices = scene.facets().stream()
                    .filter(facet -> facet.attribute().pattern() == pattern)
                    .toList();
            if (!choices.isEmpty() && seen.add(Captions.full(scene))) {
                pairs.add(pair(scene, choices, sampler.stream("pair", index)));
            }
        }
        return pairs;
    }

    private static ScenePair pair(Scene scene, List<Facet> choices, RandomGenerator random) {
        Facet facet = choices.get(random.nextInt(choices.size()));
        int value = scene.value(facet);
        int size = facet.attribute().size();
        // the opposite relation swaps the two things; of other attributes any other value will do
        int other = facet.attribute() == Attribute.RELATION ? value ^ 1 : (value + 1 + random.nextInt(size - 1)) % size;
        return new ScenePair(facet.attribute().pattern(), scene, scene.with(facet, other), facet);
    }
}
