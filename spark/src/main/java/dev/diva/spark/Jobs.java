package dev.diva.spark;

import dev.diva.BadInputException;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import picocli.CommandLine;

/** What the jobs share. */
final class Jobs {
    /** For native memory, which scopes bound and not JavaCPP's default, the size of the heap. */
    static final String JVM_OPTIONS =
            "-Dorg.bytedeco.javacpp.maxBytes=0 -Dorg.bytedeco.javacpp.maxPhysicalBytes=0" + " -Dai.djl.offline=true";

    private static final int BAD_INPUT = 3;

    private Jobs() {}

    /** A job as a command: 0 done, 1 the work failed, 2 wrong usage, 3 bad input, with one line on standard error. */
    static CommandLine commandLine(Callable<Integer> job) {
        CommandLine commands = new CommandLine(job);
        commands.setUnmatchedOptionsAllowedAsOptionParameters(false); // a list would take what the job does not know
        return commands.setExecutionExceptionHandler((failure, command, parsed) -> {
            Throwable reason = reason(failure);
            command.getErr()
                    .println(String.valueOf(reason.getMessage())
                            .lines()
                            .findFirst()
                            .orElse(""));
            return reason instanceof BadInputException ? BAD_INPUT : 1;
        });
    }

    /** Bad input that a task met is the cause of Spark's own exception. */
    private static Throwable reason(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof BadInputException) {
                return cause;
            }
        }
        return failure;
    }

    /** The context of spark-submit, or the one that is there. */
    static JavaSparkContext context(String name) {
        SparkConf conf = new SparkConf().setAppName(name).setIfMissing("spark.executor.extraJavaOptions", JVM_OPTIONS);
        return JavaSparkContext.fromSparkContext(SparkContext.getOrCreate(conf));
    }

    /** One task for each part; the results in the order of the parts. */
    static <R> List<R> run(JavaSparkContext context, List<Part> parts, Function<Part, R> task) {
        return context.parallelize(parts, parts.size()).map(task).collect();
    }
}
