package dev.diva.cli;

import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.eval.segmentation.Segmenter;
import dev.diva.segment.MaskClip;
import dev.diva.segment.San;
import dev.diva.segment.SanSegmenter;
import dev.diva.segment.TextClasses;
import dev.diva.segment.train.SanRecipe;
import dev.diva.train.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which models name pixels, and how. */
final class SegmenterOptions {
    /** How pixels get their names. */
    enum Method {
        san,
        maskclip
    }

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--clip",
            converter = ModelPath.class,
            arity = "1..*",
            paramLabel = "MODEL",
            description =
                    "Folders or files of CLIPs; with --san one for all, or one for each. Default for runs of 'diva"
                            + " segment train': theirs.")
    private List<Path> clips = List.of();

    @Option(
            names = "--san",
            arity = "1..*",
            paramLabel = "SAN",
            description =
                    "Runs of 'diva segment train' or checkpoints of SAN, each trained on its CLIP; the first is the one that others are compared with.")
    private List<Path> sans = List.of();

    @Option(
            names = "--san-config",
            paramLabel = "FILE",
            description = "YAML: clipResolution, sideHeads, fusion, recognitionLayer. Default: san.yaml beside the"
                    + " checkpoint, or the preset of the CLIP.")
    private Path sanConfig;

    @Option(
            names = "--method",
            defaultValue = "san",
            description = "${COMPLETION-CANDIDATES}. maskclip needs no SAN and no training. Default: san.")
    private Method method;

    @Option(names = "--format", description = "Layout of the CLIPs: hf, open_clip, openai or diva. Default: found.")
    private String format;

    @Mixin
    private ThreadsOption threads;

    @Mixin
    private DeviceOption device;

    private boolean isOfRuns; // the CLIPs are those that the SANs were trained on

    private final TextClasses texts = new TextClasses();

    /** One model while it is loaded. */
    interface Work {
        /**
         * Uses a model.
         *
         * @param loaded makes segmenters for lists of class names
         */
        void with(Loaded loaded);
    }

    /** A model that is loaded. */
    final class Loaded {
        private final String name;
        private final Clip clip;
        private final San san; // null for MaskCLIP

        private Loaded(String name, Clip clip, San san) {
            this.name = name;
            this.clip = clip;
            this.san = san;
        }

        String name() {
            return name;
        }

        Segmenter segmenter(List<String> classes) {
            float[][] vectors = texts.vectors(clip, classes);
            return san == null ? new MaskClip(clip, vectors) : new SanSegmenter(san, vectors);
        }

        /** Names the model by what its answers depend on. */
        String identity() {
            return SegmenterOptions.identity(clip, Path.of(name), san);
        }
    }

    /**
     * Names a model by what its answers depend on.
     *
     * @param path of the SAN; not looked at for MaskCLIP
     * @param san null for MaskCLIP
     */
    static String identity(Clip clip, Path path, San san) {
        String tower = "CLIP " + stamp(clip.file());
        return san == null
                ? "MaskCLIP on " + tower
                : "SAN " + stamp(San.checkpoint(path)) + " " + san.settings() + " on " + tower;
    }

    private static String stamp(Path file) {
        try {
            return file.toAbsolutePath().normalize() + " (" + Files.size(file) + " bytes of "
                    + Files.getLastModifiedTime(file) + ")";
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** Whether no model is named. */
    boolean isEmpty() {
        return clips.isEmpty() && sans.isEmpty() && sanConfig == null && method == Method.san;
    }

    /** How many models are asked for. */
    int count() {
        requireSense();
        return method == Method.san ? sans.size() : clips.size();
    }

    /** Loads one model after the other and hands it on. */
    void each(Work work) {
        int count = count();
        Clip.Options options = Clip.Options.DEFAULT.withThreads(threads.count()).withDevice(device.name());
        for (int i = 0; i < count; i++) {
            Path path = clips.get(clips.size() == 1 ? 0 : i);
            String layout = format == null && isOfRuns ? SanRecipe.formatOf(sans.get(i)) : format;
            try (Clip clip = Clip.load(path, options.withFormat(layout))) {
                Warnings.print(spec, clip.notes());
                if (method == Method.maskclip) {
                    work.with(new Loaded(path.toString(), clip, null));
                } else {
                    try (San san = San.load(sans.get(i), sanConfig, clip)) {
                        work.with(new Loaded(sans.get(i).toString(), clip, san));
                    }
                }
            }
        }
    }

    private void requireSense() {
        if (clips.isEmpty() && !sans.isEmpty() && sans.stream().allMatch(RunFolder::isRun)) {
            clips = sans.stream().map(SanRecipe::clipOf).toList();
            isOfRuns = true;
        }
        if (clips.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "Missing required option: '--clip=MODEL'");
        }
        if (method == Method.maskclip && (!sans.isEmpty() || sanConfig != null)) {
            throw new ParameterException(spec.commandLine(), "--method maskclip takes no --san and no --san-config");
        }
        if (method == Method.san && sans.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(), "expected --san FILE, or --method maskclip, which needs none");
        }
        if (method == Method.san && clips.size() != 1 && clips.size() != sans.size()) {
            throw new ParameterException(
                    spec.commandLine(),
                    sans.size() + " --san for " + clips.size() + " --clip; give one CLIP for all, or one for each");
        }
    }
}
