package dev.diva.cli;

import dev.diva.hub.RemoteFiles;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code --data-cache DIR --data-cache-size 50GB} of commands that read files behind addresses. */
final class DataCacheOption {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,15}(?:\\.\\d{1,3})?) ?([KMGT]?I?)B?");
    private static final Map<Character, Integer> POWERS = Map.of('K', 1, 'M', 2, 'G', 3, 'T', 4);
    private static final long LEAST = 100_000_000; // some blocks for each thread

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--data-cache",
            paramLabel = "DIR",
            description = "Where parts of files behind addresses are kept. Default: ~/.cache/diva/data.")
    private Path folder;

    private long bytes;

    @Option(
            names = "--data-cache-size",
            paramLabel = "SIZE",
            defaultValue = "50GB",
            description =
                    "Most that is kept there; what was not asked for the longest goes. Default: ${DEFAULT-VALUE}.")
    void size(String given) {
        Matcher size = SIZE.matcher(given.strip().toUpperCase(Locale.ROOT));
        double value = size.matches() ? Double.parseDouble(size.group(1)) * unit(size.group(2)) : 0;
        if (value < LEAST || value > Long.MAX_VALUE) {
            throw new ParameterException(
                    command.commandLine(),
                    "--data-cache-size is " + given + ", expected at least 100MB, for instance 50GB or 20GiB");
        }
        bytes = (long) value;
    }

    /** From now on files behind addresses are kept there. */
    void use() {
        RemoteFiles.use(folder == null ? RemoteFiles.defaultFolder() : folder, bytes);
    }

    private static double unit(String name) {
        return name.isEmpty() || name.equals("I")
                ? 1
                : Math.pow(name.endsWith("I") ? 1024 : 1000, POWERS.get(name.charAt(0)));
    }
}
