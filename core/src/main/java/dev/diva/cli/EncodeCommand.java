package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.clip.Clip;
import dev.diva.clip.Clip.Scale;
import dev.diva.clip.EmbeddingsFile;
import dev.diva.clip.ImageEncoding;
import dev.diva.data.DataProblem;
import dev.diva.data.ImageSet;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.Processes;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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

    @Mixin
    private ProcessesOption processes;

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
        if (processes.launches()) {
            return processes.launch();
        }
        try (Processes group = processes.join(Placement.cpu(precision()), recipe())) {
            SharedEncoding shared = new SharedEncoding(group, out, batch);
            if (!shared.isShared() || images.isEmpty()) {
                encode(shared);
                return 0;
            }
            try {
                encodeShared(shared);
                return 0;
            } catch (RuntimeException e) {
                group.fail(Failure.line(e));
                throw e;
            } finally {
                shared.clean();
            }
        }
    }

    /** What must be the same for every process. */
    private String recipe() {
        return List.of(model, images, texts, out, tokens, raw, precision(), batch)
                .toString();
    }

    private void encode(SharedEncoding alone) throws JsonProcessingException {
        try (EmbeddingsFile file = new EmbeddingsFile(out)) {
            encode(file, alone, true);
            finish(file);
        }
    }

    private void encodeShared(SharedEncoding shared) throws JsonProcessingException {
        shared.clean();
        try (EmbeddingsFile part = new EmbeddingsFile(shared.part())) {
            encode(part, shared, processes.isFirst());
            part.finish();
        }
        try (EmbeddingsFile file = new EmbeddingsFile(out)) {
            shared.join(file);
            if (processes.isFirst()) {
                finish(file);
            }
        }
    }

    private void encode(EmbeddingsFile file, SharedEncoding shared, boolean withTexts) {
        List<DataProblem> problems = new ArrayList<>();
        ImageSet all = images.isEmpty() ? null : ImageSet.open(images, problems::add);
        ImageSet set = all == null || !shared.isShared() ? all : shared.mine(all);
        Clip.Options options =
                new Clip.Options(precision(), threads, batch, format == null ? null : CheckpointFormat.of(format));
        try (Clip clip = Clip.load(model, options)) {
            if (withTexts) {
                encodeTexts(clip, file);
            }
            if (set != null) {
                ImageEncoding encoding =
                        new ImageEncoding(clip, file, new ImageEncoding.Settings(scale(), tokens, batch, strict));
                encodeImages(encoding, set, processes.isFirst() ? problems : List.of());
            }
        }
    }

    private void finish(EmbeddingsFile file) throws JsonProcessingException {
        file.describe("model", model.toString()).describe("normalized", String.valueOf(!raw));
        file.finish();
        report(file.list("images").size(), file.list("skipped"));
    }

    private void encodeTexts(Clip clip, EmbeddingsFile file) {
        if (!texts.isEmpty()) {
            file.append("text_embeds", clip.encodeTexts(texts, scale()), clip.embeddingDim());
            file.describe("texts", texts);
        }
    }

    private void encodeImages(ImageEncoding encoding, ImageSet set, List<DataProblem> problems) {
        try (Progress progress =
                Progress.start("images", set.size(), spec.commandLine().getErr())) {
            ImageEncoding.Listener listener = listener(progress);
            problems.forEach(problem -> encoding.leaveOut(problem, listener));
            encoding.run(set, listener);
        }
    }

    private static ImageEncoding.Listener listener(Progress progress) {
        return new ImageEncoding.Listener() {
            @Override
            public void done(long count) {
                progress.at(count);
            }

            @Override
            public void skipped(DataProblem problem) {
                progress.note("skipped " + problem);
            }
        };
    }

    private Scale scale() {
        return raw ? Scale.RAW : Scale.UNIT;
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

    private void report(int count, List<String> skippedImages) throws JsonProcessingException {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("out", out.toString());
        report.put("images", count);
        report.put("texts", texts.size());
        report.put("skipped", skippedImages);
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            writer.println(new ObjectMapper().writeValueAsString(report));
        } else {
            int skipped = skippedImages.size();
            writer.println(out + ": " + report.get("images") + " images, " + texts.size() + " texts"
                    + (skipped == 0 ? "" : ", " + skipped + " images skipped"));
        }
        writer.flush();
    }
}
