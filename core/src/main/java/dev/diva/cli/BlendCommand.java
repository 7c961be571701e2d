package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.clip.ClipBlend;
import dev.diva.clip.ClipExport;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Averages a trained CLIP with the untouched one. */
@Command(
        name = "blend",
        mixinStandardHelpOptions = true,
        description =
                "Average the weights of a trained CLIP with those of the untouched one: part of the gain, less of the"
                        + " price.")
public final class BlendCommand implements Callable<Integer> {
    private static final int MOST = 10;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--clip",
            converter = ModelPath.class,
            required = true,
            paramLabel = "UNTOUCHED",
            description = "Folder or file of the CLIP before training; the averages have its layout.")
    private Path clip;

    @ArgGroup(multiplicity = "1")
    private Trained trained;

    /** A model, or a tower that goes over the untouched one. */
    private static final class Trained {
        @Option(
                names = "--with",
                required = true,
                paramLabel = "TRAINED",
                description = "The same after training: folder, file or run folder, any layout.")
        private Path model;

        @Option(
                names = "--visual",
                required = true,
                paramLabel = "FILE",
                description = "Its image tower alone after training (un2CLIP's .ckpt).")
        private Path visual;

        ClipCheckpoint open(Path untouched, CheckpointFormat format) {
            return visual == null ? ClipCheckpoint.open(model) : ClipCheckpoint.open(untouched, format, visual);
        }
    }

    @Option(
            names = "--alpha",
            required = true,
            arity = "1..*",
            paramLabel = "A",
            description = "Share of the trained weights: 0 the untouched CLIP, 1 the trained one. Several make several"
                    + " models.")
    private List<Double> alphas;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "New folder: the model of one alpha, or DIR/alpha-A for each of several.")
    private Path out;

    @Option(
            names = "--format",
            description = "Layout of UNTOUCHED: hf, open_clip, openai or diva. Default: found in it.")
    private String format;

    @Option(names = "--overwrite", description = "Replace what an earlier export has written there.")
    private boolean overwrite;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        if (!alphas.stream().allMatch(alpha -> Math.abs(alpha) <= MOST)) { // more is no blend; NaN is refused too
            throw new ParameterException(
                    spec.commandLine(), "--alpha is " + alphas + ", expected 0 to 1, at the very most " + MOST);
        }
        List<Double> shares = alphas.stream().distinct().toList();
        CheckpointFormat layout = format == null ? null : CheckpointFormat.of(format);
        try (ClipCheckpoint from = ClipCheckpoint.open(clip, layout);
                ClipCheckpoint to = trained.open(clip, layout)) {
            ClipBlend blend = new ClipBlend(from, to);
            Warnings.print(spec, ClipExport.notes(from, blend.layout()));
            print(shares, blend.write(shares, out, overwrite));
        }
        return 0;
    }

    private void print(List<Double> shares, List<Path> folders) throws JsonProcessingException {
        PrintWriter writer = spec.commandLine().getOut();
        Map<String, String> models = new LinkedHashMap<>();
        for (int i = 0; i < shares.size(); i++) {
            models.put(shares.get(i).toString(), folders.get(i).toString());
        }
        if (json) {
            writer.println(new ObjectMapper().writeValueAsString(Map.of("out", out.toString(), "models", models)));
        } else {
            models.forEach((alpha, folder) -> writer.println("wrote " + folder + " (alpha " + alpha + ")"));
        }
        writer.flush();
    }
}
