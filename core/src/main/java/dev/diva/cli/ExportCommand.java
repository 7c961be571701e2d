package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.checkpoint.peft.PeftWriter;
import dev.diva.clip.ClipExport;
import dev.diva.mllm.MmprojFile;
import dev.diva.posttrain.run.RunFiles;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
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
                "Write a CLIP or SigLIP as transformers, open_clip or OpenAI's code load it, a run's adapter as peft does, or the"
                        + " eyes of a LLaVA as llama.cpp does.")
public final class ExportCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    private Model model;

    /** A CLIP, or a LLaVA. */
    private static final class Model {
        @Option(
                names = "--clip",
                required = true,
                converter = ModelPath.class,
                paramLabel = "MODEL",
                description = "Folder, file, run folder or ORG/NAME.")
        private Path clip;

        @Option(
                names = "--llava",
                required = true,
                converter = ModelPath.class,
                paramLabel = "DIR",
                description = "A LLaVA-1.5 of either layout, for --to gguf.")
        private Path llava;
    }

    @Option(
            names = "--tower",
            paramLabel = "MODEL",
            description = "With --llava: this CLIP in place of its own; or 'config' or 'checkpoint' where it has two.")
    private String tower;

    @Option(
            names = "--dtype",
            defaultValue = "fp16",
            paramLabel = "TYPE",
            description = "With --llava: fp16 (norms and biases stay fp32) or fp32. Default: ${DEFAULT-VALUE}.")
    private String dtype;

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
            description = "hf, open_clip or openai; peft for a run with trainable.mode lora; gguf for a LLaVA.")
    private String to;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "New folder; a file for gguf.")
    private Path out;

    @Option(
            names = "--format",
            description = "Layout of --clip or --tower: hf, open_clip, openai or diva. Default: found in it.")
    private String format;

    @Option(names = "--overwrite", description = "Replace what an earlier export has written there.")
    private boolean overwrite;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        boolean isGguf = to.equals("gguf");
        if (isGguf != (model.llava != null)) {
            throw new ParameterException(spec.commandLine(), "--to gguf and --llava belong together");
        }
        if (!isGguf && tower != null) {
            throw new ParameterException(spec.commandLine(), "--tower goes with --llava");
        }
        String from = isGguf ? eyes() : to.equals("peft") ? adapter() : layout(CheckpointFormat.of(to));
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
        PeftWriter.copy(new RunFiles(model.clip).adapter(), out, overwrite);
        return "run";
    }

    private String eyes() {
        Dtype type = switch (dtype) {
            case "fp16" -> Dtype.F16;
            case "fp32" -> Dtype.F32;
            default ->
                throw new ParameterException(spec.commandLine(), "--dtype is " + dtype + ", expected fp16 or fp32");
        };
        if (visual != null) {
            throw new ParameterException(
                    spec.commandLine(), "--visual goes with --clip; give a LLaVA's tower with --tower");
        }
        CheckpointFormat layout = format == null ? null : CheckpointFormat.of(format);
        Warnings.print(spec, MmprojFile.write(model.llava, tower, layout, type, out, overwrite));
        return "llava";
    }

    private String layout(CheckpointFormat target) {
        try (ClipCheckpoint checkpoint =
                ClipCheckpoint.open(model.clip, format == null ? null : CheckpointFormat.of(format), visual)) {
            Warnings.print(spec, ClipExport.notes(checkpoint, target));
            ClipExport.export(checkpoint, target, out, overwrite);
            return checkpoint.format().flag();
        }
    }
}
