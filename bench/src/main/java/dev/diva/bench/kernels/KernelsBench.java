package dev.diva.bench.kernels;

import java.util.Locale;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs the benchmarks of this package with JMH's own options, and prints a table: mean time, its spread over the iterations, speed. */
public final class KernelsBench {
    private KernelsBench() {}

    public static void main(String[] args) throws CommandLineOptionException, RunnerException {
        CommandLineOptions options = new CommandLineOptions(args);
        OptionsBuilder all = new OptionsBuilder();
        all.verbosity(VerboseMode.SILENT).shouldFailOnError(true).parent(options);
        if (options.getIncludes().isEmpty()) {
            all.include(KernelsBench.class.getPackageName());
        }
        System.out.println("| kernel | shape | precision | ms | slowest to fastest | GFLOP/s |");
        System.out.println("| --- | --- | --- | --- | --- | --- |");
        new Runner(all.build()).run().forEach(result -> System.out.println(row(result)));
    }

    private static String row(RunResult result) {
        BenchmarkParams benchmark = result.getParams();
        String name = benchmark.getBenchmark();
        Result<?> perSecond = result.getPrimaryResult();
        Result<?> work = result.getSecondaryResults().get("gigaFlop");
        return String.format(
                Locale.ROOT,
                "| %s | %s | %s | %.2f | %.2f to %.2f | %s |",
                name.substring(name.lastIndexOf('.') + 1),
                benchmark.getParam("shape"),
                benchmark.getParamsKeys().contains("precision")
                        ? benchmark.getParam("precision").toLowerCase(Locale.ROOT)
                        : "8 bits",
                1e3 / perSecond.getScore(),
                1e3 / perSecond.getStatistics().getMin(),
                1e3 / perSecond.getStatistics().getMax(),
                work == null ? "" : String.format(Locale.ROOT, "%.0f", work.getScore()));
    }
}
