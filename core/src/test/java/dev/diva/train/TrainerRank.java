package dev.diva.train;

import dev.diva.engine.Engine;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessPlace;
import dev.diva.engine.Processes;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Share;
import dev.diva.engine.Tensors;
import dev.diva.feedback.Contribution;
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
                Processes processes = Processes.join(place, Placement.cpu(Precision.FP32), Map.of(), limit, limit)) {
            Tensor w = Tensors.of(new float[] {1, 1, 1}, 3).set_requires_grad(true);
            Schedule schedule = new Schedule(Schedule.Kind.CONSTANT, 0.1, 0, 10);
            TrainSettings settings = new TrainSettings(schedule, schedule, 2, Double.NaN, 1, 0);
            Trainer trainer = new Trainer(
                    settings,
                    new Square(w, processes.rank(), args[1].equals("gradient")),
                    TrainerRank::batch,
                    new Checkpoints(Path.of(args[0]), 2),
                    new TrainListener() {},
                    Team.of(processes, 2, 1));
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

    private static MicroBatch batch(long position) {
        return MicroBatch.of(List.of("image-" + position), Tensors.of(new float[] {Math.floorDiv(position, 2)}, 1));
    }

    /** Half the squared weights: each step takes a tenth of them, until rank 1 breaks. */
    private record Square(Tensor w, int rank, boolean onlyGradient) implements Objective {
        @Override
        public double[] backward(MicroBatch batch, RandomStreams streams, int accumulation) {
            throw new UnsupportedOperationException("for two processes");
        }

        @Override
        public double[] backward(MicroBatch batch, RandomStreams streams, Share share, Contribution contribution) {
            boolean bad = rank == 1 && Tensors.toFloats(batch.pixels())[0] == BAD_STEP;
            Tensor loss = w.square().sum().mul(new Scalar(bad && !onlyGradient ? Double.NaN : 0.5));
            if (bad && onlyGradient) {
                loss = loss.add(w.sub(w.detach()).sqrt().sum()); // zero, with an infinite slope
            }
            contribution.beforeLastPass().run();
            loss.mul(new Scalar(contribution.scale() / contribution.accumulation()))
                    .backward();
            return new double[] {loss.item().toDouble()};
        }

        @Override
        public void skip(RandomStreams streams, Share none) {}
    }
}
