package dev.diva.train;

import dev.diva.BadInputException;
import dev.diva.engine.ProcessGroup;
import dev.diva.engine.SharedMemory;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/** What a run goes on from, the same in every process: the parameters as they are, or the newest checkpoint whose files are whole. */
final class RunStart implements AutoCloseable {
    private final SharedMemory memory; // of masters and optimizer
    private final Optimizer optimizer;
    private final TrainState state;

    private RunStart(SharedMemory memory, Optimizer optimizer, TrainState state) {
        this.memory = memory;
        this.optimizer = optimizer;
        this.state = state;
    }

    /**
     * Called by all processes together.
     *
     * @param plan whose masters are moved to memory that the processes of a machine share, and overwritten when a checkpoint is taken
     * @param checkpoints of the run
     * @param resume whether the run is to go on from the newest of them; what the first process says counts for all
     * @param notes told of memory that cannot be shared, and of checkpoints that are passed over
     * @throws BadInputException when there are checkpoints and none is whole
     */
    static RunStart of(
            RunPlan plan, ProcessGroup processGroup, Checkpoints checkpoints, boolean resume, Consumer<String> notes) {
        SharedMemory memory = memory(plan, processGroup);
        memory.refusal().ifPresent(notes);
        Optimizer optimizer = plan.optimizer().create(memory);
        TrainState fresh = new TrainState(0, plan.parameters(), optimizer, plan.streams());
        long step = (long) processGroup.sum(processGroup.isFirst() ? firstStep(checkpoints, resume, notes) : 0)[0];
        TrainState state = step < 0 ? fresh : Checkpoints.restore(checkpoints.at(step), fresh);
        for (Tensor master : plan.parameters().values()) {
            processGroup.broadcast(master.detach());
        }
        return new RunStart(memory, optimizer, state);
    }

    /** With the masters in it. */
    private static SharedMemory memory(RunPlan plan, ProcessGroup processGroup) {
        Collection<Tensor> masters = plan.parameters().values();
        if (!masters.stream().allMatch(Tensor::is_cpu)) {
            return SharedMemory.none();
        }
        SharedMemory shared =
                SharedMemory.of(processGroup, masters, 1 + plan.optimizer().moments());
        shared.adopt(processGroup, masters);
        return shared;
    }

    /** Steps of the checkpoint to go on from, or -1 for the parameters as they are. */
    private static long firstStep(Checkpoints checkpoints, boolean resume, Consumer<String> notes) {
        if (!resume) {
            return -1;
        }
        List<Path> damaged = checkpoints.damaged();
        Optional<Path> newest = checkpoints.newestIntact();
        if (newest.isEmpty() && !damaged.isEmpty()) {
            throw new BadInputException(damaged.get(0).getParent() + ": none of the " + damaged.size()
                    + " checkpoints matches its checksums; remove them to start the run anew");
        }
        damaged.forEach(path -> notes.accept("checkpoint " + path.getFileName()
                + " does not match its checksums; going on from "
                + newest.map(intact -> intact.getFileName().toString()).orElse("the start")));
        return newest.map(Checkpoints::step).orElse(-1L);
    }

    /** Steps done. */
    long step() {
        return state.step();
    }

    /** At the start; masters and moments are updated where they lie. */
    TrainState state() {
        return state;
    }

    @Override
    public void close() {
        optimizer.close();
        memory.close();
    }
}
