package dev.diva.model;

/**
 * Which angles the patches of a square grid are turned by in the attention, as timm's {@code RotaryEmbeddingCat} has them: of the channels
 * of a head one half turns with one coordinate, the other half with the other, each pair of neighbours at a frequency of its own.
 *
 * @param side patches of a side
 * @param reference patches of a side that the coordinates are scaled to: those of pretraining
 * @param offset added to each coordinate before that
 * @param columnsFirst whether the first half turns with the column (PE), or with the row (EVA-02)
 */
public record RotaryGrid(long side, double reference, double offset, boolean columnsFirst) {}
