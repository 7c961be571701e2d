package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.mllm.LlavaSwap;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A multimodal language model that sees with a CLIP. */
@Command(
        name = "mllm",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {MllmAskCommand.class, MllmTrainCommand.class},
        description = "LLaVA-1.5: put another tower in, train, ask.")
public final class MllmCommand {
    @Spec
    private CommandSpec spec;

    @Command(
            name = "swap",
            mixinStandardHelpOptions = true,
            description = "Write a LLaVA with another tower, in the layout that it has.")
    int swap(
            @Option(
                            names = "--llava",
                            required = true,
                            converter = ModelPath.class,
                            paramLabel = "DIR",
                            description = "LLaVA-1.5, either layout.")
                    Path llava,
            @Option(
                            names = "--clip",
                            required = true,
                            converter = ModelPath.class,
                            paramLabel = "MODEL",
                            description = "The new tower: any CLIP.")
                    Path clip,
            @Option(
                            names = "--format",
                            converter = FormatName.class,
                            description = "Layout of MODEL: hf, open_clip, openai or diva. Default: found in it.")
                    CheckpointFormat format,
            @Option(names = "--out", required = true, paramLabel = "DIR", description = "New folder.") Path out,
            @Option(
                            names = "--dtype",
                            description = "fp16, bf16 or fp32 for a llava-hf folder. Default: its own if that holds"
                                    + " every value of the tower, else fp32.")
                    String dtype,
            @Option(names = "--overwrite", description = "Replace the folder if it exists.") boolean overwrite,
            @Option(names = "--json", description = "Print JSON.") boolean json)
            throws JsonProcessingException {
        LlavaSwap.Written written = LlavaSwap.write(llava, clip, format, out, type(dtype), overwrite);
        Warnings.print(spec, written.notes());
        String layout = written.layout().flag();
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            Map<String, String> result = new LinkedHashMap<>();
            result.put("layout", layout);
            result.put("dtype", written.dtype() == null ? null : written.dtype().name());
            result.put("out", out.toString());
            writer.println(new ObjectMapper().writeValueAsString(result));
        } else {
            String types = written.dtype() == null ? "" : ", " + written.dtype();
            writer.println("wrote " + out + " (" + layout + types + ") with the tower of " + clip);
        }
        writer.flush();
        return 0;
    }

    private Dtype type(String name) {
        return switch (name == null ? "" : name) {
            case "" -> null;
            case "fp16" -> Dtype.F16;
            case "bf16" -> Dtype.BF16;
            case "fp32" -> Dtype.F32;
            default ->
                throw new ParameterException(
                        spec.commandLine(), "--dtype is " + name + ", expected fp16, bf16 or fp32");
        };
    }
}
