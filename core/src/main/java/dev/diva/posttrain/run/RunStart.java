package dev.diva.posttrain.run;

import dev.diva.BadInputException;
import dev.diva.engine.Engine;
import dev.diva.engine.Processes;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.SharedMemory;
import dev.diva.feedback.DiffusionFeedback;
import dev.diva.train.AdamW;
import dev.diva.train.Checkpoints;
import dev.diva.train.Optimizer;
import dev.diva.train.Sgd;
import dev.diva.train.TrainState;
import dev.diva.posttrain.recipe.Recipe;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/** What a run goes on from, the same in every process: the models as they were read, or the newest checkpoint whose files are whole. */
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
     * @param models whose masters are moved to memory that the processes of a machine share, and overwritten when a checkpoint is taken
     * @param checkpoints of the run
     * @param resume whether the run is to go on from the newest of them; what the first process says counts for all
     * @param notes told of memory that cannot be shared, and of checkpoints that are passed over
     * @throws BadInputException when there are checkpoints and none is whole
     */
    static RunStart of(
            TrainingModels models,
            Processes processes,
            Checkpoints checkpoints,
            boolean resume,
            Consumer<String> notes) {
        Recipe recipe = models.recipe();
        SharedMemory memory = memory(models, processes);
        memory.refusal().ifPresent(notes);
        Optimizer optimizer = optimizer(recipe.train(), memory);
        RandomStreams streams = new RandomStreams(recipe.seed());
        streams.seed(DiffusionFeedback.STREAM, recipe.seed()); // as torch.manual_seed(seed) in the authors' code
        TrainState fresh = new TrainState(0, models.parameters(), optimizer, streams);
        long step = (long) processes.sum(processes.isFirst() ? firstStep(checkpoints, resume, notes) : 0)[0];
        TrainState state = step < 0 ? fresh : Checkpoints.restore(checkpoints.at(step), fresh);
        for (Tensor master : models.parameters().values()) {
            processes.broadcast(master.detach());
        }
        return new RunStart(memory, optimizer, state);
    }

    /** With the masters in it. */
    private static SharedMemory memory(TrainingModels models, Processes processes) {
        if (Engine.isCuda(models.placement().device())) {
            return SharedMemory.none();
        }
        Collection<Tensor> masters = models.parameters().values();
        Recipe.Train train = models.recipe().train();
        int moments = switch (train.optimizer()) {
            case SGD -> train.momentum() == 0 ? 0 : 1;
            case ADAMW -> 2;
        };
        SharedMemory shared = SharedMemory.of(processes, masters, 1 + moments);
        shared.adopt(processes, masters);
        return shared;
    }

    private static Optimizer optimizer(Recipe.Train train, SharedMemory memory) {
        return switch (train.optimizer()) {
            case SGD -> new Sgd(train.momentum(), train.weightDecay(), memory);
            case ADAMW ->
                new AdamW(train.betas().get(0), train.betas().get(1), train.eps(), train.weightDecay(), memory);
        };
    }

    /** Steps of the checkpoint to go on from, or -1 for the models as they were read. */
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
