package dev.diva.eval;

import dev.diva.data.ImageEntry;
import dev.diva.engine.ProcessGroup;
import java.util.List;
import java.util.function.Function;

/**
 * A model whose batches are shared by processes: each embeds its rows, and all get all rows. Every process must score the same data in
 * the same order.
 */
public record SharedEncoder(ImageTextEncoder encoder, ProcessGroup processGroup) implements ImageTextEncoder {
    @Override
    public String name() {
        return encoder.name();
    }

    @Override
    public float[] pixels(ImageEntry image) {
        return encoder.pixels(image);
    }

    @Override
    public float[][] images(List<float[]> pixels) {
        return rows(pixels, encoder::images);
    }

    @Override
    public float[][] texts(List<String> texts) {
        return rows(texts, encoder::texts);
    }

    @Override
    public String textTower() {
        return encoder.textTower();
    }

    @Override
    public float logitScale() {
        return encoder.logitScale();
    }

    private <T> float[][] rows(List<T> all, Function<List<T>, float[][]> embed) {
        int from = all.size() * processGroup.rank() / processGroup.worldSize();
        int to = all.size() * (processGroup.rank() + 1) / processGroup.worldSize();
        float[][] mine = from == to ? new float[0][] : embed.apply(all.subList(from, to));
        double[] widths = mine.length == 0 ? processGroup.sum(0, 0) : processGroup.sum(mine[0].length, 1);
        int width = (int) (widths[0] / widths[1]); // of those that have rows
        double[] flat = new double[all.size() * width];
        for (int row = from; row < to; row++) {
            for (int i = 0; i < width; i++) {
                flat[row * width + i] = mine[row - from][i];
            }
        }
        double[] sums = processGroup.sum(flat); // every other process has zeros there
        float[][] rows = new float[all.size()][width];
        for (int i = 0; i < sums.length; i++) {
            rows[i / width][i % width] = (float) sums[i];
        }
        return rows;
    }
}
