package dev.diva.mine;

import dev.diva.BadInputException;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Finds pairs that CLIP calls nearly identical and the other encoder different. Cosines are computed a block of rows against a block of
 * rows; of all pairs only a bounded heap of the widest gaps is held, so memory is that of the embeddings and two blocks.
 *
 * @param clipAbove least cosine of CLIP, exclusive
 * @param otherBelow largest cosine of the other encoder, exclusive
 * @param top pairs to return
 * @param perImage pairs that an image may be part of; near-duplicates of an image (both cosines above {@link #DUPLICATE}) count as it
 */
public record PairSearch(double clipAbove, double otherBelow, int top, int perImage) {
    /** MMVP's thresholds, 150 pairs, every image once. */
    public static final PairSearch DEFAULT = new PairSearch(0.95, 0.6, 150, 1);

    /** Cosine above which both encoders call two images the same. */
    static final double DUPLICATE = 0.98;

    private static final int ROWS = 2048;
    private static final int HELD_PER_PAIR = 20; // as many are lost to repeated images

    public PairSearch {
        if (top < 1 || perImage < 1) {
            throw new IllegalArgumentException("top " + top + ", per image " + perImage + ", expected 1 or more");
        }
    }

    /**
     * Searches all pairs.
     *
     * @param clip unit embeddings, a row per image
     * @param other unit embeddings of the same images
     * @return the widest gap first
     */
    public List<BlindPair> find(float[][] clip, float[][] other) {
        return find(clip, other, ROWS);
    }

    List<BlindPair> find(float[][] clip, float[][] other, int rows) {
        if (clip.length != other.length) {
            throw new IllegalArgumentException(clip.length + " and " + other.length + " embeddings of the same images");
        }
        if (clip.length < 2) {
            throw new BadInputException(clip.length + " images; pairs need at least two");
        }
        PriorityQueue<BlindPair> widest = new PriorityQueue<>(BlindPair.WIDEST_FIRST.reversed());
        for (int first = 0; first < clip.length; first += rows) {
            for (int second = first; second < clip.length; second += rows) {
                block(clip, other, new Block(first, second, rows), widest);
            }
        }
        return distinct(widest.stream().sorted(BlindPair.WIDEST_FIRST).toList(), clip, other);
    }

    /** A square of the matrix of all pairs. */
    private record Block(int first, int second, int rows) {}

    private void block(float[][] clip, float[][] other, Block block, PriorityQueue<BlindPair> widest) {
        long[] hits;
        float[] cosines;
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            Tensor scores = Scopes.returning(() -> matrix(clip, block.first, block.rows)
                    .mm(matrix(clip, block.second, block.rows).t()));
            Tensor where = scores.gt(new Scalar(clipAbove)).nonzero(); // [hits, 2]
            hits = Tensors.toLongs(where);
            Tensor flat = where.select(1, 0).mul(new Scalar(scores.size(1))).add(where.select(1, 1));
            cosines = Tensors.toFloats(scores.flatten().index_select(0, flat));
        }
        for (int i = 0; i < cosines.length; i++) {
            int first = block.first + (int) hits[2 * i];
            int second = block.second + (int) hits[2 * i + 1];
            if (first < second) {
                offer(new BlindPair(first, second, cosines[i], dot(other[first], other[second])), widest);
            }
        }
    }

    private void offer(BlindPair pair, PriorityQueue<BlindPair> widest) {
        if (pair.otherCosine() < otherBelow) {
            widest.add(pair);
            if (widest.size() > (long) HELD_PER_PAIR * top) {
                widest.remove();
            }
        }
    }

    private static Tensor matrix(float[][] rows, int from, int count) {
        int to = Math.min(rows.length, from + count);
        int width = rows[0].length;
        float[] values = new float[(to - from) * width];
        for (int row = from; row < to; row++) {
            System.arraycopy(rows[row], 0, values, (row - from) * width, width);
        }
        return Tensors.of(values, to - from, width);
    }

    private List<BlindPair> distinct(List<BlindPair> pairs, float[][] clip, float[][] other) {
        List<BlindPair> chosen = new ArrayList<>();
        List<Integer> used = new ArrayList<>(); // an image as often as it was chosen
        Set<Integer> full = new HashSet<>();
        for (BlindPair pair : pairs) {
            if (chosen.size() == top) {
                break;
            }
            if (isFree(pair.first(), used, full, clip, other) && isFree(pair.second(), used, full, clip, other)) {
                chosen.add(pair);
                used.add(pair.first());
                used.add(pair.second());
            }
        }
        return chosen;
    }

    private boolean isFree(int image, List<Integer> used, Set<Integer> full, float[][] clip, float[][] other) {
        if (full.contains(image)) {
            return false;
        }
        long uses = used.stream()
                .filter(row -> row == image
                        || (dot(other[row], other[image]) > DUPLICATE && dot(clip[row], clip[image]) > DUPLICATE))
                .count();
        if (uses >= perImage) {
            full.add(image);
        }
        return uses < perImage;
    }

    private static float dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return (float) sum;
    }
}
