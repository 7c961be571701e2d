package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.world.WorldRecipe;
import dev.diva.world.WorldWriter;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Makes the mini world: its images and pairs, and the small models that the demo comes with. */
@Command(
        name = "world",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            PretrainCommand.Clip.class,
            PretrainCommand.Vae.class,
            PretrainCommand.Diffusion.class,
            PretrainCommand.Language.class
        },
        description = "The mini world of the demo: images, pairs, and small models trained from nothing.")
public final class WorldCommand {
    @Spec
    private CommandSpec spec;

    /** What decides the captioned images. */
    static final class Scenes {
        @Option(names = "--seed", defaultValue = "1", description = "Of scenes, weights and draws. Default: 1.")
        private long seed;

        @Option(names = "--side", defaultValue = "48", description = "Pixels of an image each way. Default: 48.")
        private int side;

        @Option(names = "--captioned", defaultValue = "32000", description = "Captioned images. Default: 32000.")
        private int captioned;

        @Option(
                names = "--named",
                description = "Probability that a web caption names a fine attribute. Default: that of the demo.")
        private Double named;

        WorldRecipe recipe() {
            WorldRecipe standard = WorldRecipe.DEFAULT;
            return new WorldRecipe(
                    seed,
                    side,
                    captioned,
                    standard.posttrain(),
                    standard.retrieval(),
                    standard.pairs(),
                    standard.probe(),
                    named == null ? standard.named() : named);
        }
    }

    /** Where the result goes and how it is told. */
    static final class Output {
        @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder to write.")
        private Path out;

        @Option(names = "--json", description = "Print JSON.")
        private boolean json;

        Path out() {
            return out;
        }

        boolean json() {
            return json;
        }

        /** @param more lists of what is to be told beside the place */
        void print(Map<String, Object> more, PrintWriter writer) throws JsonProcessingException {
            if (json) {
                Map<String, Object> result = new LinkedHashMap<>(Map.of("out", out.toString()));
                result.putAll(more);
                writer.println(new ObjectMapper().writeValueAsString(result));
            } else {
                more.values().forEach(value -> ((List<?>) value).forEach(writer::println));
                writer.println("wrote " + out);
            }
            writer.flush();
        }
    }

    @Command(
            name = "render",
            mixinStandardHelpOptions = true,
            description =
                    "Images with web captions, images without, pairs in the format of MMVP-VLM, retrieval, probe.")
    int render(@Mixin Scenes scenes, @Mixin Output output) throws JsonProcessingException {
        new WorldWriter(scenes.recipe()).write(output.out, part -> note("writing " + part));
        output.print(Map.of(), spec.commandLine().getOut());
        return 0;
    }

    private void note(String line) {
        PrintWriter err = spec.commandLine().getErr();
        err.println(line);
        err.flush();
    }
}
