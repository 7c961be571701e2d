package dev.diva.feedback;

import org.bytedeco.pytorch.Tensor;

/** How the prompt's tokens and the image's become one condition. */
public enum TextJoin {
    /** Token by token: as many visual tokens as text tokens. */
    ELEMENTWISE {
        @Override
        Tensor join(Tensor text, Tensor visual) {
            return text.add(visual);
        }
    },
    /** The mean of the text tokens is added to each visual token. */
    MEAN {
        @Override
        Tensor join(Tensor text, Tensor visual) {
            return text.mean(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional())
                    .add(visual);
        }
    },
    /** The visual tokens alone. */
    NONE {
        @Override
        Tensor join(Tensor text, Tensor visual) {
            return visual;
        }
    };

    /**
     * The condition.
     *
     * @param text [1, text tokens, width]
     * @param visual [batch, visual tokens, width]
     * @return [batch, visual tokens, width]
     */
    abstract Tensor join(Tensor text, Tensor visual);
}
