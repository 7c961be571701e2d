package dev.diva.engine;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * How fast the processes of a run sum a tensor over all of them.
 *
 * @param latencySeconds of one number
 * @param bytesPerSecond through each process in each direction: a ring sends 2 (n - 1) / n of the tensor
 */
public record ExchangeSpeed(double latencySeconds, double bytesPerSecond) {
    private static final long NUMBERS = 16 << 20;
    private static final int REPEATS = 5;

    /** Measures; every process must take part. */
    public static ExchangeSpeed measure(ProcessGroup processGroup) {
        double latency = seconds(processGroup, 1);
        double share = 2.0 * (processGroup.worldSize() - 1) / processGroup.worldSize();
        return new ExchangeSpeed(latency, share * NUMBERS * Float.BYTES / seconds(processGroup, NUMBERS));
    }

    /** Fastest of some repeats, after one that opens connections. */
    private static double seconds(ProcessGroup processGroup, long numbers) {
        try (PointerScope scope = new PointerScope()) {
            Tensor tensor = torch.zeros(new long[] {numbers}, new TensorOptions(ScalarType.Float));
            double best = Double.POSITIVE_INFINITY;
            for (int i = 0; i <= REPEATS; i++) {
                processGroup.barrier();
                long started = System.nanoTime();
                processGroup.sum(tensor);
                best = i == 0 ? best : Math.min(best, (System.nanoTime() - started) * 1e-9);
            }
            return best;
        }
    }
}
