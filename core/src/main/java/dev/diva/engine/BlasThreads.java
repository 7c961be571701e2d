package dev.diva.engine;

import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * Threads of OpenBLAS, which has one number for the whole process: as many as libtorch for libtorch's own products, and one while products
 * are cut into pieces.
 */
final class BlasThreads {
    private static int count = Runtime.getRuntime().availableProcessors();
    private static int cutting; // products that are

    private BlasThreads() {}

    /** Sets the number for libtorch's own products. */
    static synchronized void set(int threads) {
        count = threads;
        if (cutting == 0) {
            openblas_nolapack.blas_set_num_threads(count);
        }
    }

    /** Works with one thread for each call. */
    static void one(Runnable work) {
        change(1);
        try {
            work.run();
        } finally {
            change(-1);
        }
    }

    private static synchronized void change(int products) {
        cutting += products;
        openblas_nolapack.blas_set_num_threads(cutting == 0 ? count : 1);
    }
}
