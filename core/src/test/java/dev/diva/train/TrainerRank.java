package dev.diva.train;

import dev.diva.engine.BatchShard;
import dev.diva.engine.Engine;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessGroup;
import dev.diva.engine.ProcessPlace;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** One of two processes that train three numbers; the loss or only the gradient of rank 1 is not finite in step 3. {@code FOLDER WHAT}. */
public final class TrainerRank {
    static final int BAD_STEP = 3;

    private TrainerRank() {}

    public static void main(String[] args) {
        Engine.setThreads(1);
        ProcessPlace place = ProcessPlace.of(System.getenv()).orElseThrow();
        int code = 0;
        Duration limit = Duration.ofSeconds(60);
        try (PointerScope scope = new PointerScope();
                Sgd sgd = new Sgd(0, 0);
                ProcessGroup processGroup =
                        ProcessGroup.join(place, Placement.cpu(Precision.FP32), Map.of(), limit, limit)) {
            Tensor w = Tensors.of(new float[] {1, 1, 1}, 3).set_requires_grad(true);
            Schedule schedule = new Schedule(Schedule.Kind.CONSTANT, 0.1, 0, 10);
            TrainSettings settings = new TrainSettings(schedule, 2, Double.NaN, 1);
            Trainer<Numbers> trainer = new Trainer<>(
                    settings,
                    new Square(w, processGroup.rank(), args[1].equals("gradient")),
                    TrainerRank::batch,
                    new Checkpoints(Path.of(args[0]), 2),
                    new TrainListener() {},
                    processGroup,
                    Sharding.of(processGroup, 2, 1));
            try {
                trainer.train(new TrainState(0, Map.of("w", w), sgd, new RandomStreams(1)));
            } catch (DivergedException e) {
                System.out.println("error: " + e.getMessage());
                code = 1;
            }
            System.out.println("weights " + Arrays.toString(Tensors.toFloats(w)));
        }
        Runtime.getRuntime().halt(code);
    }

    private static Numbers batch(long position) {
        return new Numbers(List.of("image-" + position), Math.floorDiv(position, 2));
    }

    private record Numbers(List<String> names, long step) implements MicroBatch {}

    /** Half the squared weights: each step takes a tenth of them, until rank 1 breaks. */
    private record Square(Tensor w, int rank, boolean onlyGradient) implements Objective<Numbers> {
        @Override
        public Losses backward(Numbers batch, RandomStreams streams, Contribution contribution) {
            boolean bad = rank == 1 && batch.step() == BAD_STEP;
            Tensor loss = w.square().sum().mul(new Scalar(bad && !onlyGradient ? Double.NaN : 0.5));
            if (bad && onlyGradient) {
                loss = loss.add(w.sub(w.detach()).sqrt().sum()); // zero, with an infinite slope
            }
            return contribution.backward(loss);
        }

        @Override
        public void skip(RandomStreams streams, BatchShard none) {}
    }
}
