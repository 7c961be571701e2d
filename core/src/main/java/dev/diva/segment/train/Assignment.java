package dev.diva.segment.train;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jgrapht.alg.matching.KuhnMunkresMinimalWeightBipartitePerfectMatching;
import org.jgrapht.graph.DefaultWeightedEdge;
import org.jgrapht.graph.SimpleWeightedGraph;

/**
 * Which query answers for which target: the pairs with the least cost together, min(queries, targets) of them. The same costs give the same
 * pairs.
 */
final class Assignment {
    private Assignment() {}

    /** A pair. */
    record Pair(int query, int target) {}

    /**
     * Solves by the Hungarian method.
     *
     * @param cost [queries][targets], finite
     * @return by rising query
     */
    static List<Pair> of(float[]... cost) {
        int queries = cost.length;
        int targets = cost[0].length;
        int size = Math.max(queries, targets); // what is added costs the same wherever it goes
        var graph = new SimpleWeightedGraph<Integer, DefaultWeightedEdge>(DefaultWeightedEdge.class);
        Set<Integer> left = vertices(0, size);
        Set<Integer> right = vertices(size, 2 * size);
        left.forEach(graph::addVertex);
        right.forEach(graph::addVertex);
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                boolean isReal = i < queries && j < targets;
                graph.setEdgeWeight(graph.addEdge(i, size + j), isReal ? cost[i][j] : 0);
            }
        }
        List<Pair> pairs = new ArrayList<>();
        var matching = new KuhnMunkresMinimalWeightBipartitePerfectMatching<>(graph, left, right).getMatching();
        for (DefaultWeightedEdge edge : matching) {
            Pair pair = new Pair(graph.getEdgeSource(edge), graph.getEdgeTarget(edge) - size);
            if (pair.query < queries && pair.target < targets) {
                pairs.add(pair);
            }
        }
        pairs.sort(Comparator.comparingInt(Pair::query));
        return pairs;
    }

    private static Set<Integer> vertices(int from, int to) {
        return new LinkedHashSet<>(IntStream.range(from, to).boxed().toList());
    }
}
