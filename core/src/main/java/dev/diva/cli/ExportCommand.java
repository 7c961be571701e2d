package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.checkpoint.peft.PeftWriter;
import dev.diva.clip.ClipExport;
import dev.diva.posttrain.run.RunFiles;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Writes a checkpoint in another layout. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        description =
                "Write a CLIP or SigLIP as transformers, open_clip or OpenAI's code load it, or a run's adapter as peft does.")
public final class ExportCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--clip",
            required = true,
            converter = ModelPath.class,
            paramLabel = "MODEL",
            description = "Folder, file, run folder or ORG/NAME.")
    private Path clip;

    @Option(
            names = "--visual",
            paramLabel = "FILE",
            description =
                    "Weights of an image tower alone (un2CLIP's .ckpt), in place of the model's own; or a folder of"
                            + " peft over it.")
    private Path visual;

    @Option(
            names = "--to",
            required = true,
            paramLabel = "LAYOUT",
            description = "hf, open_clip, openai, or peft for a run with trainable.mode lora.")
    private String to;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "New folder.")
    private Path out;

    @Option(names = "--format", description = "Layout of MODEL: hf, open_clip, openai or diva. Default: found in it.")
    private String format;

    @Option(names = "--overwrite", description = "Replace the folder if it exists.")
    private boolean overwrite;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        String from = to.equals("peft") ? adapter() : layout(CheckpointFormat.of(to));
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            Map<String, String> result = new LinkedHashMap<>();
            result.put("from", from);
            result.put("to", to);
            result.put("out", out.toString());
            writer.println(new ObjectMapper().writeValueAsString(result));
        } else {
            writer.println("wrote " + out + " (" + from + " to " + to + ")");
        }
        writer.flush();
        return 0;
    }

    private String adapter() {
        if (visual != null) {
            throw new ParameterException(spec.commandLine(), "--to peft takes a run, and no --visual");
        }
        PeftWriter.copy(new RunFiles(clip).adapter(), out, overwrite);
        return "run";
    }

    private String layout(CheckpointFormat target) {
        try (ClipCheckpoint checkpoint =
                ClipCheckpoint.open(clip, format == null ? null : CheckpointFormat.of(format), visual)) {
            Warnings.print(spec, ClipExport.notes(checkpoint, target));
            ClipExport.export(checkpoint, target, out, overwrite);
            return checkpoint.format().flag();
        }
    }
}
