package dev.diva.cli;

import dev.diva.BadInputException;
import dev.diva.BuildInfo;
import dev.diva.NearestName;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.UnmatchedArgumentException;

/** The {@code diva} command: its commands, and the one place where a failure becomes a line and an exit code. */
@Command(
        name = "diva",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        description = "Diffusion feedback that helps CLIP see better.",
        footer = {"", "Exit codes: 0 done, 1 the work failed, 2 wrong usage, 3 bad input, 75 stopped and resumable."})
public final class Main {
    private static final Pattern OPTION = Pattern.compile("--?[A-Za-z]\\S*");

    /** Completes the words of all others. */
    private static final Class<?> COMPLETION = AutoComplete.GenerateCompletion.class;

    private static final List<Class<?>> COMMANDS = List.of(
            DemoCommand.class,
            DoctorCommand.class,
            TrainCommand.class,
            CacheCommand.class,
            AnchorCommand.class,
            TeacherCheckCommand.class,
            EncodeCommand.class,
            SearchCommand.class,
            InspectCommand.class,
            ExportCommand.class,
            BlendCommand.class,
            EvalCommand.class,
            CompareCommand.class,
            MineCommand.class,
            PullCommand.class,
            MllmCommand.class,
            SegmentCommand.class,
            ReportCommand.class,
            WorldCommand.class,
            COMPLETION);

    @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Print the stack trace of a failure.")
    private boolean verbose;

    /** Version and commit, as {@code --version} prints them. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            BuildInfo build = BuildInfo.read();
            return new String[] {"diva " + build.version() + " (" + build.commit() + ")"};
        }
    }

    /** Runs one command and exits with its code. */
    public static void main(String[] arguments) {
        CommandLine commands = commandLine(arguments);
        LauncherWatch.start(commands.getErr());
        System.exit(run(commands, arguments));
    }

    /** What these arguments ask for, with failures as one line on the error stream: one command, whose options are read faster than those of all. */
    static CommandLine commandLine(String... arguments) {
        Main main = new Main();
        CommandLine commands = new CommandLine(main);
        List<Class<?>> asked = COMMANDS.stream()
                .filter(command -> arguments.length > 0 && arguments[0].equals(name(command)) && command != COMPLETION)
                .toList();
        (asked.isEmpty() ? COMMANDS : asked).forEach(commands::addSubcommand);
        commands.setExecutionStrategy(Main::runUnlessSwallowed);
        commands.setExecutionExceptionHandler((failure, command, parsed) -> main.fail(failure, command));
        commands.setParameterExceptionHandler(Main::misused);
        return commands;
    }

    private static String name(Class<?> command) {
        return command.getAnnotation(Command.class).name();
    }

    /**
     * A list of values ends at an option that the command knows; one that it does not know would be a value. Texts may begin with a dash:
     * after an equals sign, or where no option could be meant.
     */
    private static int runUnlessSwallowed(ParseResult parsed) {
        for (ParseResult level = parsed; level != null; level = level.hasSubcommand() ? level.subcommand() : null) {
            List<String> words = level.originalArgs();
            for (OptionSpec option : level.matchedOptions()) {
                for (String value : option.originalStringValues()) {
                    if (OPTION.matcher(value).matches() && words.contains(value)) {
                        throw new UnmatchedArgumentException(level.commandSpec().commandLine(), List.of(value));
                    }
                }
            }
        }
        return new RunLast().execute(parsed);
    }

    /** Runs a command; errors of the virtual machine (no memory, no native library) are lines too. */
    static int run(CommandLine commands, String... arguments) {
        try {
            return commands.execute(arguments);
        } catch (Error e) { // picocli hands only exceptions to its handler
            Main main = commands.getCommand();
            return main.fail(e, asked(commands));
        }
    }

    /** The command that the user has given. */
    private static CommandLine asked(CommandLine commands) {
        CommandLine deepest = commands;
        while (deepest.getParseResult() != null && deepest.getParseResult().hasSubcommand()) {
            deepest = deepest.getParseResult().subcommand().commandSpec().commandLine();
        }
        return deepest;
    }

    /** Options and keys that the command has and that take less memory. */
    private static String lighter(CommandLine command) {
        if (command.getCommandSpec().findOption("--batch") != null) {
            return "a smaller --batch";
        }
        return command.getCommandSpec().findOption("--low-memory") != null
                ? "a smaller train.batch or --low-memory"
                : "a machine with more memory";
    }

    private int fail(Throwable failure, CommandLine command) {
        PrintWriter err = command.getErr();
        if (verbose) {
            failure.printStackTrace(err);
        } else {
            err.println("diva: " + Failure.line(failure, lighter(command)));
        }
        err.flush();
        return Failure.exitCode(failure);
    }

    private static int misused(ParameterException failure, String[] arguments) {
        CommandLine command = failure.getCommandLine();
        if (failure.getCause() instanceof BadInputException e) { // a value of the right form that names nothing
            command.getErr().println("diva: " + Failure.line(e));
            command.getErr().flush();
            return ExitCodes.BAD_INPUT;
        }
        String line = unknown(failure, arguments)
                .map(word ->
                        "unknown " + (word.startsWith("-") ? "option " : "argument ") + word + suggested(command, word))
                .orElse(Failure.firstLine(failure.getMessage()));
        command.getErr()
                .println("diva: " + line + "; see '" + command.getCommandSpec().qualifiedName() + " --help'");
        command.getErr().flush();
        return CommandLine.ExitCode.USAGE;
    }

    /** The first word that the command does not know: a misspelt option may be why another one is missing. */
    private static Optional<String> unknown(ParameterException failure, String[] arguments) {
        if (failure instanceof UnmatchedArgumentException unmatched) {
            return unmatched.getUnmatched().stream().findFirst();
        }
        Set<String> known =
                failure.getCommandLine().getCommandSpec().optionsMap().keySet();
        return Arrays.stream(arguments)
                .filter(word -> OPTION.matcher(word).matches() && !known.contains(word.replaceFirst("=.*", "")))
                .findFirst();
    }

    private static String suggested(CommandLine command, String word) {
        Collection<String> known = word.startsWith("-")
                ? command.getCommandSpec().optionsMap().keySet()
                : command.getSubcommands().keySet();
        return NearestName.close(word.replaceFirst("=.*", ""), known)
                .map(name -> "; did you mean " + name + "?")
                .orElse("");
    }
}
