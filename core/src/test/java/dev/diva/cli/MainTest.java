package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.diva.BadInputException;
import dev.diva.train.DivergedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Exit codes and the single line of a failure. */
class MainTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder;

    /** Fails as it is told to. */
    @Command(name = "fail")
    static final class Fails implements Runnable {
        private final Throwable failure;

        Fails(Throwable failure) {
            this.failure = failure;
        }

        @Override
        public void run() {
            Fails.<RuntimeException>raise(failure);
        }

        @SuppressWarnings("unchecked")
        private static <T extends Throwable> void raise(Throwable failure) throws T {
            throw (T) failure;
        }
    }

    @Test
    void badInputIsOneLineAndThree() {
        assertThat(run("inspect", folder.resolve("absent").toString())).isEqualTo(3);
        assertThat(err.toString()).isEqualTo("diva: " + folder.resolve("absent") + ": no such file or folder\n");
        assertThat(out.toString()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "trian, unknown argument trian; did you mean train?; see 'diva --help'",
        "train --clipp x, unknown option --clipp; did you mean --clip?; see 'diva train --help'",
        "encode --images a --threds 3, unknown option --threds; did you mean --threads?; see 'diva encode --help'",
        "encode --images a --zzzzzzzzz, unknown option --zzzzzzzzz; see 'diva encode --help'",
    })
    void aMisspeltWordIsNamedWithTheNearestOne(String line, String expected) {
        assertThat(run(line.split(" "))).isEqualTo(2);
        assertThat(err.toString()).isEqualTo("diva: " + expected + "\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "inspect org/nothing",
                "encode --clip org/nothing --text a --out o.json",
                "eval mmvp --clip org/nothing --data d",
                "train --clip org/nothing --diffusion d --images i --out o",
                "train --clip c --diffusion org/nothing --images i --out o",
                "segment train --clip org/nothing --data d --out o",
                "mllm train --stage projector --llava org/nothing --data d --images i --out o",
                "mllm train --stage projector --llava l --tower org/nothing --data d --images i --out o",
            })
    void aModelIsAskedForByItsNameOnTheHub(String line) {
        assertThat(run(line.split(" "))).isEqualTo(3);
        assertThat(err.toString())
                .startsWith("diva: org/nothing: no such file or folder, and no such model in the hub's cache ")
                .endsWith("; bring it with: diva pull org/nothing\n");
    }

    @Test
    void partsOfTheDemoExcludeEachOther() {
        assertThat(run("demo", "--segmentation", "--mllm", "--out", folder.toString()))
                .isEqualTo(2);
        assertThat(err.toString()).contains("give one of --study, --segmentation and --mllm");
    }

    /** A list would take an option that the command does not know as one of its values. */
    @Test
    void anUnknownOptionIsNoValueOfAList() {
        assertThat(run("eval", "mmvp", "--clip", "a", "--data", "b", "--nothing", "5"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("unknown option --nothing");
        assertThat(run("encode", "--clip", "a", "--out", "o.safetensors", "--text", "a cat", "--stricct"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("unknown option --stricct; did you mean --strict?");
        assertThat(run("encode", "--clip", folder + "/absent", "--out", folder + "/o.json", "--text", "-5 degrees"))
                .isEqualTo(3);
        assertThat(run("encode", "--clip", folder + "/absent", "--out", folder + "/o.json", "--text=--stricct"))
                .isEqualTo(3);
    }

    @Test
    void everyCommandThatComputesHasALimitOfThreads() {
        for (String command : List.of(
                "encode --clip a --out b.json",
                "eval mmvp --clip a --data b",
                "eval all --suite a",
                "eval mllm --bench pope",
                "eval segmentation --clip a --data b --set voc20",
                "compare a --suite b",
                "mine --clip a --dino b --images c --out d",
                "segment --clip a --image b --out c.png",
                "mllm ask --llava a --text b",
                "doctor",
                "world pretrain-vae --out a")) {
            err.getBuffer().setLength(0);
            assertThat(run((command + " --threads 100000").split(" ")))
                    .as(command)
                    .isEqualTo(2);
            assertThat(err.toString()).as(command).contains("--threads is 100000, expected at most");
        }
    }

    @Test
    void verboseAddsTheStack() {
        assertThat(run("inspect", folder.resolve("absent").toString(), "--verbose"))
                .isEqualTo(3);
        assertThat(err.toString()).contains("at dev.diva.cli.InspectCommand.call");
    }

    @Test
    void wrongUsageIsOneLineAndTwo() {
        assertThat(run("inspect", "--colour", "x")).isEqualTo(2);
        assertThat(err.toString())
                .contains("--colour")
                .contains("diva inspect --help")
                .hasLineCount(1);
    }

    @Test
    void noCommandIsWrongUsage() {
        assertThat(run()).isEqualTo(2);
        assertThat(err.toString()).contains("diva --help").hasLineCount(1);
    }

    @Test
    void failedWorkIsOneLineAndOne() {
        assertThat(fail(new DivergedException("loss is NaN at step 3"))).isEqualTo(1);
        assertThat(err.toString()).startsWith("diva: loss is NaN at step 3").hasLineCount(1);
    }

    @Test
    void fullDiskNamesTheFile() {
        IOException full = new FileSystemException("/data/out.safetensors", null, "No space left on device");
        assertThat(fail(new UncheckedIOException(full))).isEqualTo(1);
        assertThat(err.toString()).isEqualTo("diva: /data/out.safetensors: No space left on device\n");
    }

    @Test
    void errorsOfTheMachineAreLinesToo() {
        assertThat(fail(new OutOfMemoryError("Java heap space"))).isEqualTo(1);
        assertThat(err.toString()).startsWith("diva: out of memory").hasLineCount(1);
    }

    @Test
    void badInputOfAWorkerThreadIsBadInput() {
        assertThat(fail(new CompletionException(new BadInputException("x.png: broken"))))
                .isEqualTo(3);
        assertThat(err.toString()).isEqualTo("diva: x.png: broken\n");
    }

    @Test
    void versionNamesTheCommit() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).matches("diva \\d\\S* \\((unknown|[0-9a-f]{7,})\\)\\R");
    }

    @Test
    void everyCommandTakesJsonAndVerbose() {
        for (CommandLine command : leaves(Main.commandLine())) {
            if (command.getCommandName().equals("generate-completion")) {
                continue; // picocli's own
            }
            assertThat(command.getCommandSpec().optionsMap())
                    .as(command.getCommandName())
                    .containsKeys("--json", "--verbose", "--help");
        }
    }

    /** What is asked for by its name is the same command as among all, and the only one that is set up. */
    @Test
    void aNamedCommandIsSetUpAlone() {
        for (CommandLine one : Main.commandLine().getSubcommands().values()) {
            if (one.getCommandName().equals("generate-completion")) {
                continue; // knows the others
            }
            CommandLine alone = Main.commandLine(one.getCommandName(), "--help");
            assertThat(alone.getSubcommands()).containsOnlyKeys(one.getCommandName());
            assertThat(alone.getSubcommands().get(one.getCommandName()).getUsageMessage())
                    .isEqualTo(one.getUsageMessage());
        }
        for (String needsAll : List.of("--help", "generate-completion", "trian")) {
            assertThat(Main.commandLine(needsAll).getSubcommands())
                    .as(needsAll)
                    .hasSameSizeAs(Main.commandLine().getSubcommands());
        }
    }

    private static List<CommandLine> leaves(CommandLine command) {
        if (command.getSubcommands().isEmpty()) {
            return List.of(command);
        }
        return command.getSubcommands().values().stream()
                .flatMap(child -> leaves(child).stream())
                .toList();
    }

    private int fail(Throwable failure) {
        return Main.run(quiet(Main.commandLine().addSubcommand(new Fails(failure))), "fail");
    }

    private int run(String... arguments) {
        return Main.run(quiet(Main.commandLine()), arguments);
    }

    private CommandLine quiet(CommandLine commands) {
        return commands.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    }
}
