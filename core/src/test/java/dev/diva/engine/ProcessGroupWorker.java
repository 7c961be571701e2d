package dev.diva.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** One process of {@link ProcessGroupTest}: {@code TASK RECIPE TIMEOUT}. Prints results, or the one-line error, and exits with 1. */
public final class ProcessGroupWorker {
    private static final int WIDTH = 300;

    private ProcessGroupWorker() {}

    public static void main(String[] args) {
        Engine.setThreads(1);
        ProcessPlace place = ProcessPlace.of(System.getenv()).orElseThrow();
        try (PointerScope scope = new PointerScope();
                ProcessGroup processGroup = ProcessGroup.join(
                        place,
                        Placement.cpu(Precision.FP32),
                        Map.of("recipe", args[1], "version", System.getProperty("version", "1")),
                        Duration.ofSeconds(Long.parseLong(args[2])),
                        Duration.ofSeconds(Long.getLong("exchange", 600)))) {
            switch (args[0]) {
                case "exchange" -> exchange(processGroup);
                case "gradients" -> gradients(processGroup);
                case "memory" -> memory(processGroup);
                case "die" -> die(processGroup);
                case "fail" -> fail(processGroup);
                case "hang" -> hang(processGroup);
                default -> throw new IllegalArgumentException(args[0]);
            }
        } catch (ProcessGroupException e) {
            System.out.println("error: " + e.getMessage());
            Runtime.getRuntime().halt(1);
        }
        Runtime.getRuntime().halt(0);
    }

    private static void exchange(ProcessGroup processGroup) {
        Tensor mine = Tensors.of(new float[] {1 + processGroup.rank(), 10}, 2);
        processGroup.sum(mine);
        System.out.println("sum " + List.of(Tensors.toFloats(mine)[0], Tensors.toFloats(mine)[1]));
        Tensor first = Tensors.of(new float[] {7 * (processGroup.rank() + 1)}, 1);
        processGroup.broadcast(first);
        System.out.println("broadcast " + Tensors.toFloats(first)[0]);
        System.out.println("any " + processGroup.any(processGroup.rank() == 1) + " " + processGroup.any(false));
        processGroup.barrier();
    }

    /** Each process writes its part of a moved and of a new tensor, and reads the whole. */
    private static void memory(ProcessGroup processGroup) {
        Tensor moved = Tensors.of(numbers(1000, 1), 1000);
        float first = Tensors.toFloats(moved)[0];
        try (SharedMemory memory = SharedMemory.of(processGroup, List.of(moved), 2)) {
            memory.adopt(processGroup, List.of(moved));
            Tensor made = memory.like(moved);
            System.out.println("kept " + (Tensors.toFloats(moved)[0] == first) + ", zero "
                    + (made.abs().sum().item().toDouble() == 0));
            processGroup.barrier(); // all have looked
            memory.own(moved).fill_(new Scalar(processGroup.rank() + 1));
            memory.own(made).fill_(new Scalar(10 * (processGroup.rank() + 1)));
            processGroup.barrier();
            float[] all = Tensors.toFloats(moved);
            System.out.println(
                    "parts " + all[0] + " " + all[500] + " " + all[999] + " " + sum(moved) + " " + sum(made));
            System.out.println("own " + memory.own(moved).numel());
            processGroup.barrier();
        }
        try (SharedMemory tooMuch = SharedMemory.of(processGroup, List.of(moved), Integer.MAX_VALUE)) {
            System.out.println("refused " + tooMuch.refusal().orElse("no"));
            System.out.println("alone " + tooMuch.own(moved).numel());
        }
    }

    private static long sum(Tensor tensor) {
        return Math.round(tensor.sum().item().toDouble());
    }

    /** Two micro-batches, three steps; the sums of the gradients must be those of all data in one process. */
    private static void gradients(ProcessGroup processGroup) {
        List<Tensor> parameters = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            parameters.add(Tensors.of(numbers(WIDTH * WIDTH, i), WIDTH, WIDTH).set_requires_grad(true));
        }
        Tensor unused = torch.zeros(3).set_requires_grad(true);
        parameters.add(2, unused);
        try (GradientAverage average = processGroup.averaging(parameters)) {
            for (int step = 0; step < 3; step++) {
                for (Tensor parameter : parameters) {
                    if (parameter.grad().defined()) {
                        parameter.grad().zero_();
                    }
                }
                for (int micro = 0; micro < 2; micro++) {
                    if (micro == 1) {
                        average.beforeLastBackward();
                    }
                    if (step == 2 && processGroup.rank() == Integer.getInteger("die", -1)) {
                        Runtime.getRuntime().halt(137);
                    }
                    try {
                        loss(parameters, processGroup.rank() * 2 + micro).backward();
                    } catch (RuntimeException e) {
                        throw average.explained(e);
                    }
                }
                average.finish();
                StringBuilder bits = new StringBuilder("step " + (step == 0 ? "first" : "later"));
                for (Tensor parameter : parameters) {
                    if (parameter.grad().defined()) {
                        bits.append(' ').append(java.util.Arrays.hashCode(Tensors.toFloats(parameter.grad())));
                    }
                }
                System.out.println(bits);
            }
            System.out.println("norm " + parameters.get(0).grad().norm().item().toDouble());
            System.out.println("unused " + unused.grad().defined());
        }
    }

    /** Of a chain of matrices on the rows of one part of the data. */
    static Tensor loss(List<Tensor> parameters, int part) {
        Tensor x = Tensors.of(numbers(4 * WIDTH, 100 + part), 4, WIDTH);
        for (Tensor parameter : parameters) {
            if (parameter.dim() == 2) {
                x = x.matmul(parameter).tanh();
            }
        }
        return x.square().mean();
    }

    static float[] numbers(int count, int seed) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) Math.sin(i * 0.37 + seed) * 0.1f;
        }
        return numbers;
    }

    private static void die(ProcessGroup processGroup) {
        processGroup.barrier();
        if (processGroup.rank() == Integer.getInteger("die", 1)) {
            Runtime.getRuntime().halt(137);
        }
        Tensor big = torch.ones(1 << 20).mul(new Scalar(2));
        while (true) {
            processGroup.sum(big);
        }
    }

    /** Rank 1 lives, and its heart beats, but it does not come. */
    private static void hang(ProcessGroup processGroup) {
        processGroup.barrier();
        if (processGroup.rank() == 1) {
            Rendezvous.pause(60_000);
            Runtime.getRuntime().halt(0);
        }
        processGroup.barrier();
    }

    private static void fail(ProcessGroup processGroup) {
        processGroup.barrier();
        if (processGroup.rank() == 1) {
            processGroup.fail("loss is NaN in step 3");
            Runtime.getRuntime().halt(1);
        }
        processGroup.barrier();
    }
}
