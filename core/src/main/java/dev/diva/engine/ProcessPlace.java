package dev.diva.engine;

import java.util.Map;
import java.util.Optional;

/**
 * Place of this process among those of a run, from the environment that torchrun and launchers like it give.
 *
 * @param rank 0 to world - 1, {@code RANK}
 * @param worldSize number of processes, {@code WORLD_SIZE}
 * @param localRank rank on this machine, {@code LOCAL_RANK}; picks the GPU
 * @param masterAddress machine of rank 0, {@code MASTER_ADDR}
 * @param masterPort free port there, {@code MASTER_PORT}
 */
public record ProcessPlace(int rank, int worldSize, int localRank, String masterAddress, int masterPort) {
    public ProcessPlace {
        if (rank < 0 || rank >= worldSize) {
            throw new ProcessGroupException("RANK is " + rank + ", expected 0 to WORLD_SIZE - 1 = " + (worldSize - 1));
        }
        if (localRank < 0 || masterPort < 1 || masterPort > 65535) {
            throw new ProcessGroupException("LOCAL_RANK is " + localRank + ", MASTER_PORT " + masterPort
                    + "; expected at least 0 and 1 to 65535");
        }
    }

    /**
     * The place that the environment states; empty when it states none or a world of one process.
     *
     * @throws ProcessGroupException when only a part is stated, naming the variable
     */
    public static Optional<ProcessPlace> of(Map<String, String> environment) {
        if (!environment.containsKey("WORLD_SIZE") || number(environment, "WORLD_SIZE", null) == 1) {
            return Optional.empty();
        }
        int rank = number(environment, "RANK", null);
        return Optional.of(new ProcessPlace(
                rank,
                number(environment, "WORLD_SIZE", null),
                number(environment, "LOCAL_RANK", rank),
                text(environment, "MASTER_ADDR"),
                number(environment, "MASTER_PORT", null)));
    }

    /** The same as variables, for a process to be started. */
    public Map<String, String> toEnvironment() {
        return Map.of(
                "RANK", Integer.toString(rank),
                "WORLD_SIZE", Integer.toString(worldSize),
                "LOCAL_RANK", Integer.toString(localRank),
                "MASTER_ADDR", masterAddress,
                "MASTER_PORT", Integer.toString(masterPort));
    }

    private static int number(Map<String, String> environment, String name, Integer absent) {
        if (absent != null && !environment.containsKey(name)) {
            return absent;
        }
        String value = text(environment, name);
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new ProcessGroupException(name + " is \"" + value + "\", expected a whole number", e);
        }
    }

    private static String text(Map<String, String> environment, String name) {
        String value = environment.get(name);
        if (value == null || value.isBlank()) {
            throw new ProcessGroupException("WORLD_SIZE is " + environment.get("WORLD_SIZE") + " but " + name
                    + " is not set; start with --processes, torchrun or srun (docs/scale.md), or unset WORLD_SIZE");
        }
        return value.strip();
    }
}
