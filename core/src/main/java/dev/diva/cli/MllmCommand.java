package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.mllm.LlavaConfig;
import dev.diva.mllm.LlavaSwap;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A multimodal language model that sees with a CLIP. */
@Command(
        name = "mllm",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = MllmAskCommand.class,
        description = "LLaVA-1.5: put another tower in, ask.")
public final class MllmCommand {
    @Spec
    private CommandSpec spec;

    @Command(
            name = "swap",
            mixinStandardHelpOptions = true,
            description = "Write a LLaVA with another tower, in the layout that it has.")
    int swap(
            @Option(names = "--llava", required = true, paramLabel = "DIR", description = "LLaVA-1.5, either layout.")
                    Path llava,
            @Option(names = "--clip", required = true, paramLabel = "MODEL", description = "The new tower: any CLIP.")
                    Path clip,
            @Option(names = "--out", required = true, paramLabel = "DIR", description = "New folder.") Path out,
            @Option(names = "--overwrite", description = "Replace the folder if it exists.") boolean overwrite,
            @Option(names = "--json", description = "Print JSON.") boolean json)
            throws JsonProcessingException {
        LlavaConfig.Layout layout = LlavaSwap.write(llava, clip, out, overwrite);
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            Map<String, String> result = new LinkedHashMap<>();
            result.put("layout", layout.flag());
            result.put("out", out.toString());
            writer.println(new ObjectMapper().writeValueAsString(result));
        } else {
            writer.println("wrote " + out + " (" + layout.flag() + ") with the tower of " + clip);
        }
        writer.flush();
        return 0;
    }
}
