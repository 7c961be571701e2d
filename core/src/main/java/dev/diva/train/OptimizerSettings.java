package dev.diva.train;

import dev.diva.engine.SharedMemory;
import java.util.Set;

/** Which optimiser a run has. */
public sealed interface OptimizerSettings {
    /** One of its own, whose state lies in that memory. */
    Optimizer create(SharedMemory memory);

    /** Numbers that it keeps for each parameter. */
    int moments();

    /** See {@link dev.diva.train.Sgd}. */
    record Sgd(double momentum, double weightDecay) implements OptimizerSettings {
        @Override
        public Optimizer create(SharedMemory memory) {
            return new dev.diva.train.Sgd(momentum, weightDecay, memory);
        }

        @Override
        public int moments() {
            return momentum == 0 ? 0 : 1;
        }
    }

    /**
     * See {@link dev.diva.train.AdamW}.
     *
     * @param undecayed names of parameters without weight decay
     */
    record AdamW(double beta1, double beta2, double eps, double weightDecay, Set<String> undecayed)
            implements OptimizerSettings {
        /** All parameters decay. */
        public AdamW(double beta1, double beta2, double eps, double weightDecay) {
            this(beta1, beta2, eps, weightDecay, Set.of());
        }

        @Override
        public Optimizer create(SharedMemory memory) {
            return new dev.diva.train.AdamW(this, memory);
        }

        @Override
        public int moments() {
            return 2;
        }
    }
}
