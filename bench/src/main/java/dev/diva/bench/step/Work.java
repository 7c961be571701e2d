package dev.diva.bench.step;

/**
 * Floating point operations of matrix products and convolutions, a multiplication and an addition counted as two. What the mathematics
 * needs: products that are computed again do not count.
 */
final class Work {
    private double forward;
    private double backward;
    private boolean isInGraph;

    /** From here on the activations depend on the condition, and the backward pass goes through every layer. */
    void enterGraph() {
        isInGraph = true;
    }

    double forward() {
        return forward;
    }

    /** For the inputs of frozen layers. */
    double backward() {
        return backward;
    }

    /** A frozen convolution with a square kernel. */
    void convolution(long in, long out, long kernel, long outHeight, long outWidth) {
        linear(in * kernel * kernel, out, outHeight * outWidth);
    }

    /** A frozen linear layer. */
    void linear(long in, long out, long tokens) {
        double operations = 2.0 * in * out * tokens;
        forward += operations;
        backward += isInGraph ? operations : 0;
    }

    /** Scores and their product with the values; backward two products for each, or one less where the queries need no gradient. */
    void attention(long queries, long keys, long width, boolean isForCondition) {
        double product = 2.0 * queries * keys * width;
        forward += 2 * product;
        if (isInGraph) {
            backward += 4 * product;
        } else if (isForCondition) {
            backward += 3 * product;
        }
    }
}
