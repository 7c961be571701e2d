package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.data.ImageSet;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Precision;
import dev.diva.eval.ClipEncoder;
import dev.diva.eval.Feature;
import dev.diva.eval.ImageEmbeddings;
import dev.diva.feedback.EmbeddingCenter;
import dev.diva.feedback.anchor.AnchorRun;
import dev.diva.feedback.anchor.AnchorTarget;
import dev.diva.feedback.anchor.CaptionModels;
import dev.diva.feedback.anchor.HeldOut;
import dev.diva.train.FileHashes;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Fits a projection from a CLIP's embeddings to a teacher's condition to captions alone. */
@Command(
        name = "anchor",
        mixinStandardHelpOptions = true,
        description = {
            "Fit a projection from captions alone: what a CLIP's embedding of a caption must become so that the diffusion model"
                    + " is told what its own text encoder says of it. 'diva train --set projection.init=F' starts with it.",
            "One pass, in memory that does not grow with the captions. Ctrl-C keeps what was summed; the same command goes on."
        })
public final class AnchorCommand implements Callable<Integer> {
    private static final int MOST_IMAGES = 1024;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--clip",
            converter = ModelPath.class,
            required = true,
            paramLabel = "MODEL",
            description = "The CLIP before training, text tower included.")
    private Path clip;

    @Option(
            names = "--diffusion",
            converter = ModelPath.class,
            required = true,
            paramLabel = "DIR",
            description = "The diffusion model that will teach it.")
    private Path diffusion;

    @Option(
            names = "--captions",
            required = true,
            paramLabel = "FILE",
            description = "Text file, a caption a line; no image belongs to any of them.")
    private Path captions;

    @Option(names = "--out", required = true, paramLabel = "F.safetensors", description = "File to write.")
    private Path out;

    @Option(
            names = "--condition",
            converter = TargetName.class,
            description =
                    "What of the teacher's text states an embedding becomes: mean, end or states. Default: states,"
                            + " mean for a DiT.")
    private AnchorTarget target;

    @Option(
            names = "--ridge",
            defaultValue = "0.3",
            description = "Strength of the penalty as a share of the number of captions. Default: 0.3.")
    private double ridge;

    @Option(
            names = "--images",
            arity = "1..*",
            paramLabel = "PATH",
            description =
                    "Images to measure the centre of image embeddings on, at most 1024. Default: each training measures"
                            + " it on its own.")
    private List<String> images = List.of();

    @Mixin
    private ThreadsOption threads;

    @Mixin
    private DeviceOption device;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        if (!(ridge > 0) || Double.isInfinite(ridge)) {
            throw new ParameterException(spec.commandLine(), "--ridge is " + ridge + ", expected a number above 0");
        }
        if (Files.exists(out)) {
            throw new BadInputException(out + ": exists already; choose another --out, or delete it");
        }
        try (Clip text = Clip.load(
                        clip, Clip.Options.DEFAULT.withThreads(threads.count()).withDevice(device.name()));
                DiffusionModel teacher = DiffusionModel.load(diffusion, device.placement(Precision.FP32));
                CaptionProgress progress =
                        new CaptionProgress(spec.commandLine().getErr())) {
            AnchorTarget chosen = target == null ? AnchorTarget.of(teacher) : target;
            Warnings.print(spec, text.notes());
            text.tokenizer(); // a CLIP without texts is told before anything is read
            EmbeddingCenter center = images.isEmpty() ? null : center(text);
            Optional<AnchorRun.Result> result;
            try (CaptionModels models = new CaptionModels(text, teacher, chosen)) {
                AnchorRun run = new AnchorRun(captions, out, models, inputs(text, teacher, chosen));
                try (StopSignals signals = new StopSignals(run::stop)) {
                    result = run.run(ridge, center, progress);
                }
            }
            print(result, chosen);
            return result.isPresent() ? 0 : ExitCodes.RESUMABLE;
        }
    }

    /** As options name it. */
    private static final class TargetName implements ITypeConverter<AnchorTarget> {
        @Override
        public AnchorTarget convert(String given) {
            return Arrays.stream(AnchorTarget.values())
                    .filter(known -> known.flag().equals(given))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException("expected mean, end or states, found " + given));
        }
    }

    /** A bar that starts when the number of captions is known. */
    private static final class CaptionProgress implements AnchorRun.Listener, AutoCloseable {
        private final PrintWriter err;
        private Progress progress;

        CaptionProgress(PrintWriter err) {
            this.err = err;
        }

        @Override
        public void at(long done, long total) {
            if (progress == null) {
                progress = Progress.start("captions", total, err);
            }
            progress.at(done);
        }

        @Override
        public void close() {
            if (progress != null) {
                progress.close();
            }
        }
    }

    /** By their content: a file of the same name may be another one. */
    private Map<String, String> inputs(Clip text, DiffusionModel teacher, AnchorTarget chosen) {
        Map<String, String> inputs = new LinkedHashMap<>();
        try (FileHashes hashes = new FileHashes()) {
            inputs.put("condition", chosen.flag());
            inputs.put("clip", clip.toString());
            inputs.put("clip_sha256", hashes.of(text.file()));
            inputs.put("diffusion", diffusion.toString());
            List<String> encoder = teacher.files().stream()
                    .filter(file -> file.toString().contains("text_encoder"))
                    .map(hashes::of)
                    .toList();
            inputs.put("text_encoder_sha256", String.join(" ", encoder));
            inputs.put("captions_sha256", hashes.of(captions));
        }
        return inputs;
    }

    private EmbeddingCenter center(Clip model) {
        List<String> problems = new ArrayList<>();
        ImageSet set = ImageSet.open(images, problem -> problems.add("warning: " + problem));
        Warnings.print(spec, problems);
        List<float[]> embeddings = new ArrayList<>();
        ClipEncoder encoder = new ClipEncoder(clip.toString(), model, Feature.ZERO_SHOT);
        float[][] rows = ImageEmbeddings.of(
                encoder, set.entries().stream().limit(MOST_IMAGES).toList());
        embeddings.addAll(List.of(rows));
        if (embeddings.size() < 2) {
            throw new BadInputException(
                    "--images " + String.join(" ", images) + ": " + embeddings.size() + " images; expected at least 2");
        }
        return EmbeddingCenter.of(embeddings);
    }

    private void print(Optional<AnchorRun.Result> result, AnchorTarget chosen) throws JsonProcessingException {
        PrintWriter writer = spec.commandLine().getOut();
        if (result.isEmpty()) {
            writer.println(
                    json
                            ? new ObjectMapper().writeValueAsString(Map.of("outcome", "resumable"))
                            : "stopped; what was summed is kept, and the same command goes on");
        } else {
            print(result.orElseThrow(), chosen, writer);
        }
        writer.flush();
    }

    private void print(AnchorRun.Result result, AnchorTarget chosen, PrintWriter writer)
            throws JsonProcessingException {
        HeldOut heldOut = result.heldOut();
        if (json) {
            Map<String, Object> record = new LinkedHashMap<>();
            record.put("out", out.toString());
            record.put("captions", result.captions());
            record.put("ridge", ridge);
            record.put("condition", chosen.flag());
            record.put("tokens", result.tokens());
            record.put("heldOut", heldOut);
            writer.println(new ObjectMapper().writeValueAsString(record));
            return;
        }
        writer.printf(
                Locale.ROOT,
                "wrote %s: %d captions, ridge %s of them, condition %s (recap.tokens: class, recap.count: %d,"
                        + " recap.text: none)%n",
                out,
                result.captions(),
                ridge,
                chosen.flag(),
                result.tokens());
        writer.printf(
                Locale.ROOT,
                "%d held-out captions: cosine %.3f, rank of the right one %.1f on average (median %.1f), %.1f %% found"
                        + " first%n",
                heldOut.captions(),
                heldOut.cosine(),
                heldOut.meanRank(),
                heldOut.medianRank(),
                100 * heldOut.first());
    }
}
