package dev.diva.engine;

import org.bytedeco.dnnl.global.dnnl;

/** A function that a product applies to each sum before it is rounded and stored. */
public enum Pointwise {
    /** x sigmoid(1.702 x). */
    QUICK_GELU(dnnl.algorithm.eltwise_swish, 1.702f),
    /** The exact GELU, with the error function. */
    GELU(dnnl.algorithm.eltwise_gelu_erf, 0),
    /** GELU's approximation with the hyperbolic tangent. */
    GELU_TANH(dnnl.algorithm.eltwise_gelu_tanh, 0),
    /** x sigmoid(x). */
    SILU(dnnl.algorithm.eltwise_swish, 1);

    final dnnl.algorithm kind;
    final float alpha;

    Pointwise(dnnl.algorithm kind, float alpha) {
        this.kind = kind;
        this.alpha = alpha;
    }
}
