package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.clip.Clip;
import dev.diva.clip.Clip.Scale;
import dev.diva.clip.EmbeddingsFile;
import dev.diva.engine.Precision;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Writes embeddings of images and texts. */
@Command(
        name = "encode",
        mixinStandardHelpOptions = true,
        description = "Write embeddings of images and texts, rows named by path or string in the file's metadata.")
public final class EncodeCommand implements Callable<Integer> {
    private static final long PROGRESS_NANOS = 5_000_000_000L;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--clip",
            required = true,
            paramLabel = "MODEL",
            description = "Folder or file of a CLIP or SigLIP.")
    private Path model;

    @Option(names = "--images", arity = "1..*", paramLabel = "PATH", description = "Folders, globs, tars or files.")
    private List<String> images = new ArrayList<>();

    @Option(names = "--text", arity = "1..*", paramLabel = "STRING", description = "Texts.")
    private List<String> texts = new ArrayList<>();

    @Option(names = "--out", required = true, description = "File to write: .safetensors, or .json.")
    private Path out;

    @Option(names = "--tokens", description = "All tokens of each image too, normed and projected.")
    private boolean tokens;

    @Option(names = "--raw", description = "Embeddings as the towers give them, not divided by their L2 norm.")
    private boolean raw;

    @Option(names = "--strict", description = "Fail at the first unreadable image instead of skipping it.")
    private boolean strict;

    @Option(names = "--precision", description = "fp32 or bf16. Default: bf16 where the machine multiplies it fast.")
    private String precision;

    @Option(names = "--threads", defaultValue = "0", description = "Threads of an operation. Default: all cores.")
    private int threads;

    @Option(names = "--batch", defaultValue = "16", description = "Images at once. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(names = "--format", description = "Layout: hf, open_clip, openai or diva. Default: found in the content.")
    private String format;

    @Option(names = "--json", description = "Print what was done as JSON.")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        if (images.isEmpty() && texts.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "give --images, --text or both");
        }
        if (batch < 1 || threads < 0) {
            throw new ParameterException(spec.commandLine(), "--batch is at least 1, --threads at least 0");
        }
        EmbeddingsFile.requireAbsent(out);
        ImageInputs inputs = images.isEmpty() ? null : new ImageInputs(images);
        Clip.Options options =
                new Clip.Options(precision(), threads, batch, format == null ? null : CheckpointFormat.of(format));
        EmbeddingsFile file = new EmbeddingsFile();
        file.describe("model", model.toString()).describe("normalized", String.valueOf(!raw));
        ImageEncoding encoded = null;
        try (Clip clip = Clip.load(model, options)) {
            Scale scale = raw ? Scale.RAW : Scale.UNIT;
            if (!texts.isEmpty()) {
                file.add("text_embeds", clip.encodeTexts(texts, scale), clip.embeddingDim());
                file.describe("texts", texts);
            }
            if (inputs != null) {
                encoded = new ImageEncoding(clip, scale, tokens, batch, strict, warnings());
                encoded.run(inputs);
                encoded.addTo(file);
            }
        }
        file.write(out);
        report(encoded);
        return 0;
    }

    private Precision precision() {
        if (precision == null) {
            return Precision.fastest();
        }
        return switch (precision) {
            case "fp32" -> Precision.FP32;
            case "bf16" -> Precision.BF16;
            default ->
                throw new ParameterException(
                        spec.commandLine(), "--precision is " + precision + ", expected fp32 or bf16");
        };
    }

    private ImageEncoding.Listener warnings() {
        PrintWriter err = spec.commandLine().getErr();
        return new ImageEncoding.Listener() {
            @Override
            public void skipped(String reason) {
                err.println("skipped " + reason);
                err.flush();
            }

            private long lastNanos = System.nanoTime();

            @Override
            public void encoded(int count) {
                if (System.nanoTime() - lastNanos > PROGRESS_NANOS) {
                    lastNanos = System.nanoTime();
                    err.println(count + " images encoded");
                    err.flush();
                }
            }
        };
    }

    private void report(ImageEncoding encoded) throws JsonProcessingException {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("out", out.toString());
        report.put("images", encoded == null ? 0 : encoded.names().size());
        report.put("texts", texts.size());
        report.put("skipped", encoded == null ? List.of() : encoded.skipped());
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            writer.println(new ObjectMapper().writeValueAsString(report));
        } else {
            int skipped = encoded == null ? 0 : encoded.skipped().size();
            writer.println(out + ": " + report.get("images") + " images, " + texts.size() + " texts"
                    + (skipped == 0 ? "" : ", " + skipped + " images skipped"));
        }
        writer.flush();
    }
}
