package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.clip.ClipSummary;
import dev.diva.language.LlamaConfig;
import dev.diva.mllm.LlavaFolder;
import dev.diva.mllm.LlavaSummary;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what a file or folder is, without loading it. */
@Command(
        name = "inspect",
        mixinStandardHelpOptions = true,
        description =
                "What a checkpoint of a CLIP, SigLIP or LLaVA is: layout, sizes, parameters by part, what it fits; or what"
                        + " a diffusion model, DINOv2, SAN, run, cache, tar or file of embeddings is, and where it goes.")
public final class InspectCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "PATH",
            converter = ModelPath.class,
            description = "Folder or file of a model, a run, a cache, images or embeddings.")
    private Path path;

    @Option(names = "--format", description = "Layout: hf, open_clip, openai or diva. Default: found in the content.")
    private String format;

    @Option(
            names = "--visual",
            paramLabel = "FILE",
            description =
                    "Weights of an image tower alone (un2CLIP's .ckpt), in place of the model's own; or a folder of"
                            + " peft over it.")
    private Path visual;

    @Option(
            names = "--base",
            paramLabel = "DIR",
            description = "Model beneath a LLaVA's adapter or projector. Default: its config's.")
    private Path base;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        if (!Files.exists(path)) {
            throw new BadInputException(path + ": no such file or folder");
        }
        PrintWriter out = spec.commandLine().getOut();
        Optional<Map<String, String>> other = format == null ? OtherKinds.of(path) : Optional.empty();
        if (other.isPresent()) {
            show(other.get(), () -> rows(other.get(), out), out);
        } else if (format == null && LlavaFolder.isLlava(path)) {
            LlavaSummary summary = LlavaSummary.of(path, base);
            show(summary, () -> print(summary, out), out);
            requireSound(summary.broken());
        } else {
            ClipSummary summary = ClipSummary.of(path, format == null ? null : CheckpointFormat.of(format), visual);
            show(summary, () -> print(summary, out), out);
            requireSound(summary.broken());
        }
        return 0;
    }

    /** What is told of a run before its model. */
    private void run(PrintWriter out) {
        OtherKinds.runAt(path).ifPresent(facts -> rows(facts, out));
    }

    private static void requireSound(String broken) {
        if (broken != null) {
            throw new BadInputException(broken);
        }
    }

    private void show(Object summary, Runnable table, PrintWriter out) throws JsonProcessingException {
        if (json) {
            out.println(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(summary));
        } else {
            table.run();
        }
        out.flush();
    }

    private void print(LlavaSummary summary, PrintWriter out) {
        run(out);
        row(out, "file", summary.file());
        row(out, "layout", summary.format() + ", " + summary.part());
        if (summary.base() != null) {
            row(out, "base", summary.base());
        }
        LlamaConfig language = summary.language();
        row(
                out,
                "language model",
                "width " + language.hiddenSize() + ", " + language.numHiddenLayers() + " layers, "
                        + language.numAttentionHeads() + " heads, " + language.numKeyValueHeads()
                        + " for keys and values, " + language.vocabSize() + " ids, " + language.maxPositions()
                        + " positions");
        row(out, "vision tower", summary.tower());
        row(out, "image", summary.imageTokens() == null ? "depends on the tower" : summary.imageTokens() + " tokens");
        row(out, "tokenizer", summary.tokenizer() == null ? "none" : summary.tokenizer());
        numbers(summary.parameters(), summary.storage(), out);
    }

    private void print(ClipSummary summary, PrintWriter out) {
        run(out);
        row(out, "file", summary.file());
        row(out, "layout", summary.format());
        row(
                out,
                "backbone",
                summary.backbone() == null ? "not in the table; its own config applies" : summary.backbone());
        ClipSummary.Tower vision = summary.vision();
        row(
                out,
                "vision",
                "images of " + vision.inputSize() + ", patches of " + vision.patchSize() + ", " + vision.tokens()
                        + " tokens, " + transformer(vision));
        ClipSummary.Tower text = summary.text();
        row(
                out,
                "text",
                text == null
                        ? "none"
                        : text.inputSize() + " token ids, " + text.tokens() + " per text, " + transformer(text));
        row(out, "embeddings", summary.embeddingDim() + (summary.hasLogitBias() ? ", logits with bias" : ""));
        row(out, "pixels", summary.preprocessing());
        summary.notes().forEach(note -> row(out, "note", note));
        numbers(summary.parameters(), summary.storage(), out);
    }

    private static void numbers(Map<String, Long> parameters, Map<String, Long> storage, PrintWriter out) {
        for (Map.Entry<String, Long> part : parameters.entrySet()) {
            row(out, "parameters " + part.getKey(), String.format(Locale.ROOT, "%,d", part.getValue()));
        }
        for (Map.Entry<String, Long> part : storage.entrySet()) {
            row(out, "stored " + part.getKey(), String.format(Locale.ROOT, "%,d bytes", part.getValue()));
        }
    }

    private static String transformer(ClipSummary.Tower tower) {
        return "width " + tower.width() + ", " + tower.layers() + " layers, " + tower.heads() + " heads, "
                + tower.activation() + ", pooling " + tower.pooling();
    }

    private static void rows(Map<String, String> facts, PrintWriter out) {
        facts.forEach((name, value) -> row(out, name, value));
    }

    private static void row(PrintWriter out, String name, String value) {
        out.printf("%-32s %s%n", name, value);
    }
}
