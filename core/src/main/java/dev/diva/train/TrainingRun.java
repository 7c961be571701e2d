package dev.diva.train;

import dev.diva.engine.Gpu;
import dev.diva.engine.ProcessGroup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * A run from its newest checkpoint to its last step, alone or as one process of several: what it goes on from, the loop, and the records in
 * its folder. Knows no method; what is trained is a {@link RunPlan}, an {@link Objective} and {@link MicroBatches}.
 */
public final class TrainingRun implements AutoCloseable {
    private final RunFolder folder;
    private final RunPlan plan;
    private final ProcessGroup processGroup;
    private final FileHashes hashes;
    private final Manifest manifest;
    private final Checkpoints checkpoints;
    private final RunStart start;
    private Trainer<?> trainer;
    private volatile boolean stopped;
    private MeasuresFile measured; // while it trains and writes
    private final Map<Long, Map<String, Double>> measuredBefore = new TreeMap<>();

    private TrainingRun(
            RunFolder folder,
            boolean resume,
            RunPlan plan,
            ProcessGroup processGroup,
            FileHashes hashes,
            Consumer<String> notes) {
        this.folder = folder;
        this.plan = plan;
        this.processGroup = processGroup;
        this.hashes = hashes;
        this.manifest = new Manifest(folder.manifest());
        this.checkpoints = new Checkpoints(folder.checkpoints(), plan.keepCheckpoints());
        this.start = RunStart.of(plan, processGroup, checkpoints, resume, notes);
    }

    /**
     * Prepares a run; called by all processes together.
     *
     * @param folder stays the caller's
     * @param resume whether it goes on from its newest checkpoint that is whole; what the first process says counts for all
     * @param plan whose parameters are overwritten when a checkpoint is taken
     * @param processGroup stays the caller's
     * @param hashes of the files that the manifest names; stay the caller's
     * @param notes told of memory that cannot be shared, and of checkpoints that are passed over
     * @throws dev.diva.BadInputException when there are checkpoints and none fits
     */
    public static TrainingRun open(
            RunFolder folder,
            boolean resume,
            RunPlan plan,
            ProcessGroup processGroup,
            FileHashes hashes,
            Consumer<String> notes) {
        return new TrainingRun(folder, resume, plan, processGroup, hashes, notes);
    }

    /** Whether the run in a folder has reached its end. */
    public static boolean isFinished(Path folder) {
        return new Manifest(folder.resolve("manifest.json")).isFinished();
    }

    /** Step that this process starts with. */
    public long firstStep() {
        return start.step();
    }

    /** To be described by the first process before it is begun; told of samples that are left out by every process. */
    public Manifest manifest() {
        return manifest;
    }

    /**
     * Writes down that this process starts to work on the run; the first one does.
     *
     * @param arguments of the command line
     */
    public void begin(List<String> arguments) {
        manifest.addSession(arguments, start.step());
        manifest.write();
    }

    /**
     * What is about to happen.
     *
     * @param part of the model that a parameter of that name belongs to
     * @param frozen numbers that do not learn, by part of the model
     * @param secondsPerStep predicted
     */
    public Contract contract(UnaryOperator<String> part, Map<String, Long> frozen, double secondsPerStep) {
        return Contract.of(plan, start.step(), part, frozen, secondsPerStep);
    }

    /** Asks for a checkpoint and a clean end, from any thread. */
    public void stop() {
        stopped = true;
        Trainer<?> running = trainer;
        if (running != null) {
            running.stop();
        }
    }

    /**
     * Writes down what was measured beside the checkpoints, for instance scores; the first process does.
     *
     * @param values by name
     * @param step steps done
     */
    public void measured(Map<String, Double> values, long step) {
        if (measured == null) {
            measuredBefore.put(step, values);
        } else {
            measured.write(step, values);
        }
    }

    /**
     * Trains to the last step. The first process writes metrics, events and manifest, tells the listeners, and writes the result; the others
     * compute.
     *
     * @param watchers told in order
     * @param result writes what the run is for, once the last step is done
     * @throws DivergedException before a loss or gradient that is not finite could reach the weights
     */
    public <B extends MicroBatch> TrainListener.Outcome train(
            Objective<B> objective, MicroBatches<B> batches, List<TrainListener> watchers, Runnable result) {
        return train(objective, batches, watchers, result, Map::of);
    }

    /**
     * The same with measures.
     *
     * @param measures taken beside each checkpoint, by name
     */
    public <B extends MicroBatch> TrainListener.Outcome train(
            Objective<B> objective,
            MicroBatches<B> batches,
            List<TrainListener> watchers,
            Runnable result,
            Supplier<Map<String, Double>> measures) {
        try {
            TrainListener.Outcome outcome = processGroup.isFirst()
                    ? trainAndWrite(objective, batches, watchers, result, measures)
                    : loop(objective, batches, new TrainListener() {});
            gatherSkipped();
            return outcome;
        } finally {
            if (processGroup.isFirst()) {
                manifest.endSession(Gpu.memory());
                manifest.write();
            }
        }
    }

    private <B extends MicroBatch> TrainListener.Outcome trainAndWrite(
            Objective<B> objective,
            MicroBatches<B> batches,
            List<TrainListener> watchers,
            Runnable result,
            Supplier<Map<String, Double>> measures) {
        try (TensorBoardFile events = new TensorBoardFile(folder.path(), start.step())) {
            List<TrainListener> listeners = new ArrayList<>();
            listeners.add(new MetricsFile(folder.metrics(), start.step()));
            listeners.add(hashing());
            listeners.add(events);
            measured = new MeasuresFile(folder.measures(), start.step(), events, measures);
            measuredBefore.forEach((step, values) -> measured.write(step, values));
            listeners.add(measured);
            listeners.addAll(watchers);
            TrainListener.Outcome outcome = loop(objective, batches, new Listeners(listeners));
            if (outcome == TrainListener.Outcome.DONE) {
                result.run();
                takeHashes();
                manifest.finish();
            }
            return outcome;
        }
    }

    private <B extends MicroBatch> TrainListener.Outcome loop(
            Objective<B> objective, MicroBatches<B> batches, TrainListener listener) {
        Trainer<B> loop = new Trainer<>(
                plan.settings(), objective, batches, checkpoints, listener, processGroup, plan.sharding());
        trainer = loop;
        if (stopped) {
            loop.stop();
        }
        processGroup.awaitAll(); // the first may have scored the untouched model for a long time
        return loop.train(start.state());
    }

    /** Hashes what the run is made from beside its second step and those that follow: the first, that a user waits for, has the machine alone. */
    private TrainListener hashing() {
        return new TrainListener() {
            @Override
            public void stepDone(StepRecord step) {
                if (step.step() == start.step()) {
                    hashes.start(manifest.unhashed());
                }
            }

            @Override
            public void checkpointWritten(long step, Path checkpoint) {
                if (!manifest.isDescribed()) {
                    manifest.take(hashes);
                    manifest.write();
                }
            }
        };
    }

    private void takeHashes() {
        hashes.start(manifest.unhashed()); // all but those begun after the first step
        hashes.await();
        manifest.take(hashes);
    }

    /** Each process skips samples of its own; the first lists them all. */
    private void gatherSkipped() {
        for (String skipped : processGroup.gather(manifest.skippedLines())) {
            manifest.addSkipped(skipped);
        }
    }

    @Override
    public void close() {
        start.close();
    }
}
