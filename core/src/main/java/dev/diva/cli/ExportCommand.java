package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.clip.ClipExport;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes a checkpoint in another layout. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        description = "Write a CLIP or SigLIP as transformers, open_clip or OpenAI's code load it.")
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
            description = "Weights of an image tower alone (un2CLIP's .ckpt), in place of the model's own.")
    private Path visual;

    @Option(names = "--to", required = true, paramLabel = "LAYOUT", description = "hf, open_clip or openai.")
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
        CheckpointFormat target = CheckpointFormat.of(to);
        try (ClipCheckpoint checkpoint =
                ClipCheckpoint.open(clip, format == null ? null : CheckpointFormat.of(format), visual)) {
            Warnings.print(spec, ClipExport.notes(checkpoint, target));
            ClipExport.export(checkpoint, target, out, overwrite);
            PrintWriter writer = spec.commandLine().getOut();
            if (json) {
                Map<String, String> result = new LinkedHashMap<>();
                result.put("from", checkpoint.format().flag());
                result.put("to", target.flag());
                result.put("out", out.toString());
                writer.println(new ObjectMapper().writeValueAsString(result));
            } else {
                writer.println("wrote " + out + " (" + checkpoint.format().flag() + " to " + target.flag() + ")");
            }
            writer.flush();
        }
        return 0;
    }
}
