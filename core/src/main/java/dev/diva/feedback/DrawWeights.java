package dev.diva.feedback;

/** What the loss of each draw counts in the gradient of a step. */
public enum DrawWeights {
    /** All alike; the objective is their mean. */
    MEAN {
        @Override
        double weight(int draw, int draws, int accumulation) {
            return 1.0 / (draws * accumulation);
        }
    },
    /** All alike; the objective is their sum, averaged over the accumulated batches. */
    SUM {
        @Override
        double weight(int draw, int draws, int accumulation) {
            return 1.0 / accumulation;
        }
    },
    /** The authors' code: every draw but the last is back-propagated before the trainer divides by the accumulation. */
    PUBLISHED {
        @Override
        double weight(int draw, int draws, int accumulation) {
            return draw < draws - 1 ? 1 : 1.0 / accumulation;
        }
    };

    /**
     * Factor of one loss.
     *
     * @param draw counted from 0
     * @param accumulation batches that make a step
     */
    abstract double weight(int draw, int draws, int accumulation);
}
