package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BuildInfo;
import dev.diva.engine.Engine;
import dev.diva.engine.ExchangeSpeed;
import dev.diva.engine.Gpu;
import dev.diva.engine.Int8Linear;
import dev.diva.engine.Machine;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.ProcessGroup;
import dev.diva.engine.Speed;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says what the machine has and how fast it computes. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = "Machine, threads, precision, memory and measured speed.")
public final class DoctorCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ThreadsOption threads;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Mixin
    private ProcessesOption processes;

    @Override
    public Integer call() throws JsonProcessingException {
        if (processes.launches()) {
            return processes.launch();
        }
        Engine.setThreads(threads.count());
        Map<String, Object> facts = machine(Machine.read());
        try (ProcessGroup group = processes.join(Placement.cpu(Precision.FP32), "doctor")) {
            facts.putAll(group.worldSize() == 1 ? speed() : exchange(group));
        }
        if (processes.isFirst()) {
            print(facts);
        }
        return 0;
    }

    private void print(Map<String, Object> facts) throws JsonProcessingException {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(facts));
        } else {
            facts.forEach((name, value) -> out.printf("%-24s %s%n", name, text(value)));
        }
        out.flush();
    }

    private static Map<String, Object> exchange(ProcessGroup group) {
        ExchangeSpeed speed = ExchangeSpeed.measure(group);
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("processes", group.worldSize());
        facts.put("exchangeMicroseconds", speed.latencySeconds() * 1e6);
        facts.put("exchangeMegabytesPerSecond", speed.bytesPerSecond() * 1e-6);
        return facts;
    }

    private static Map<String, Object> machine(Machine machine) {
        BuildInfo build = BuildInfo.read();
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("diva", build.version() + " (" + build.commit() + ")");
        facts.put("system", machine.system());
        facts.put("processor", machine.processor());
        facts.put("cores", machine.cores());
        facts.put("threads", machine.threads());
        facts.put("precision", machine.precision().name().toLowerCase(Locale.ROOT));
        facts.put("int8", machine.int8());
        facts.put("memoryBytes", machine.memoryBytes());
        facts.put("heapBytes", machine.heapBytes());
        facts.put("java", machine.java());
        facts.put("libtorch", machine.libtorch());
        facts.put("instructions", machine.instructions());
        facts.put("cuda", machine.cuda());
        facts.put("gpu", Gpu.found());
        return facts;
    }

    private static Map<String, Double> speed() {
        Map<String, Double> speed = new LinkedHashMap<>();
        for (Precision precision : List.of(Precision.FP32, Precision.BF16)) {
            String name = precision.name().toLowerCase(Locale.ROOT);
            speed.put("matmulGflops." + name, Speed.matmul(precision));
            speed.put("attentionGflops." + name, Speed.attention(precision));
        }
        if (Int8Linear.isFast()) {
            speed.put("matmulGops.int8", Speed.int8());
        }
        return speed;
    }

    private static String text(Object value) {
        return value instanceof Double number
                ? String.format(Locale.ROOT, "%.0f", number)
                : value instanceof Long bytes
                        ? String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1 << 30))
                        : value.toString();
    }
}
