package dev.diva.demo;

import java.util.Arrays;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.CholeskyDecomposition;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.RealMatrix;

/**
 * Linear classifier in closed form: least squares on one-hot labels with a quadratic penalty, so that no step size or number of epochs
 * decides what a probe of few samples finds.
 */
final class RidgeClassifier {
    private final RealMatrix weight; // [width + 1, classes], the last row is the bias

    private RidgeClassifier(RealMatrix weight) {
        this.weight = weight;
    }

    /**
     * Minimises {@code |X W - Y|^2 + penalty * samples * |W|^2}, the bias without penalty.
     *
     * @param features rows of mean 0 and deviation 1, [samples][width]
     * @param labels 0..classes-1
     */
    static RidgeClassifier fit(float[][] features, int[] labels, int classes, double penalty) {
        RealMatrix x = withOnes(features);
        RealMatrix y = new Array2DRowRealMatrix(labels.length, classes);
        for (int i = 0; i < labels.length; i++) {
            y.setEntry(i, labels[i], 1);
        }
        int width = x.getColumnDimension() - 1;
        double[] diagonal = new double[width + 1];
        Arrays.fill(diagonal, 0, width, penalty * labels.length);
        RealMatrix gram = x.transposeMultiply(x).add(MatrixUtils.createRealDiagonalMatrix(diagonal));
        return new RidgeClassifier(new CholeskyDecomposition(gram).getSolver().solve(x.transposeMultiply(y)));
    }

    /** The class of the highest output of each row. */
    int[] predict(float[][] features) {
        double[][] outputs = withOnes(features).multiply(weight).getData();
        int[] classes = new int[outputs.length];
        for (int i = 0; i < outputs.length; i++) {
            for (int c = 1; c < outputs[i].length; c++) {
                classes[i] = outputs[i][c] > outputs[i][classes[i]] ? c : classes[i];
            }
        }
        return classes;
    }

    private static RealMatrix withOnes(float[][] rows) {
        RealMatrix matrix = new Array2DRowRealMatrix(rows.length, rows[0].length + 1);
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < rows[i].length; j++) {
                matrix.setEntry(i, j, rows[i][j]);
            }
            matrix.setEntry(i, rows[i].length, 1);
        }
        return matrix;
    }
}
