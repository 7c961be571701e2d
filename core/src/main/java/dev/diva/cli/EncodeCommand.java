package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.OutputLock;
import dev.diva.checkpoint.Temporary;
import dev.diva.clip.Clip;
import dev.diva.clip.EmbeddingsFile;
import dev.diva.clip.EmbeddingsIndex;
import dev.diva.clip.ImageEncoding;
import dev.diva.data.DataProblem;
import dev.diva.data.ImageSet;
import dev.diva.engine.ProcessGroup;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

    @Mixin
    private EncodeOptions options;

    @Option(names = "--text", arity = "1..*", paramLabel = "STRING", description = "Texts.")
    private List<String> texts = new ArrayList<>();

    @Option(
            names = "--known",
            arity = "1..*",
            paramLabel = "FILE",
            description = "Files of earlier runs: images that they hold are left out.")
    private List<Path> known = new ArrayList<>();

    @Option(names = "--strict", description = "Fail at the first unreadable image instead of skipping it.")
    private boolean strict;

    @Mixin
    private ThreadsOption threads;

    @Mixin
    private ProcessesOption processes;

    @Option(names = "--json", description = "Print what was done as JSON.")
    private boolean json;

    private Map<String, Integer> notRead = Map.of(); // files by suffix

    @Override
    public Integer call() throws JsonProcessingException {
        if (options.images().isEmpty() && texts.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "give --images, --text or both");
        }
        if (processes.launches()) {
            return processes.launch();
        }
        options.requireOneMatrix(texts.isEmpty());
        List<DataProblem> problems = new ArrayList<>();
        ImageSet set = images(problems);
        if (set != null && set.size() == 0 && texts.isEmpty()) {
            spec.commandLine().getOut().println("nothing to do: --known has all of the images");
            return 0;
        }
        try (ProcessGroup group = processes.join(options.placement(), recipe());
                OutputLock lock = group.isFirst() ? OutputLock.of(options.out()) : OutputLock.none()) {
            SharedEncoding shared = new SharedEncoding(group, options.out(), options.batch());
            if (!shared.isShared() || set == null) {
                encode(set, problems);
                return 0;
            }
            try {
                encodeShared(set, problems, shared);
                return 0;
            } catch (RuntimeException e) {
                group.fail(Failure.line(e));
                throw e;
            }
        }
    }

    /** The images that are not known yet, or null where texts alone are encoded. */
    private ImageSet images(List<DataProblem> problems) {
        if (options.images().isEmpty()) {
            return null;
        }
        ImageSet all = ImageSet.open(options.images(), problems::add);
        if (processes.isFirst() && !all.notRead().isEmpty()) {
            notRead = all.notRead();
            spec.commandLine().getErr().println(all.notReadWords());
        }
        if (known.isEmpty()) {
            return all;
        }
        try (EmbeddingsIndex index = new EmbeddingsIndex(known)) {
            Set<String> names = new HashSet<>(index.names());
            return new ImageSet(all.entries().stream()
                    .filter(image -> !names.contains(image.name()))
                    .toList());
        }
    }

    /** What must be the same for every process. */
    private String recipe() {
        return List.of(
                        options.model(),
                        options.images(),
                        texts,
                        known,
                        options.out(),
                        options.tokens(),
                        options.scale(),
                        options.precision(),
                        options.batch())
                .toString();
    }

    private void encode(ImageSet set, List<DataProblem> problems) throws JsonProcessingException {
        try (EmbeddingsFile file = new EmbeddingsFile(options.out())) {
            encode(set, problems, file, true);
            finish(file);
        }
    }

    private void encodeShared(ImageSet set, List<DataProblem> problems, SharedEncoding shared)
            throws JsonProcessingException {
        shared.clean();
        try (EmbeddingsFile part = new EmbeddingsFile(shared.part())) {
            List<Temporary> parts = shared.parts();
            try (EmbeddingsFile file = new EmbeddingsFile(options.out())) {
                encode(shared.mine(set), problems, part, processes.isFirst());
                part.describe(SharedEncoding.PART, "of an encoding that is under way")
                        .finish();
                shared.join(file);
                if (processes.isFirst()) {
                    finish(file);
                } else {
                    parts.forEach(Temporary::keep); // the first process still reads it
                }
            } finally {
                parts.forEach(Temporary::close);
            }
        }
    }

    private void encode(ImageSet set, List<DataProblem> problems, EmbeddingsFile file, boolean withTexts) {
        boolean isOneAtMost = set == null || set.size() <= 1;
        Clip.Options loading = options.loading(threads.count()).withUsedOnce(isOneAtMost);
        try (Clip clip = Clip.load(options.model(), options.visual(), loading)) {
            if (processes.isFirst()) {
                Warnings.print(spec, clip.notes());
            }
            if (withTexts) {
                encodeTexts(clip, file);
            }
            if (set != null && set.size() > 0) {
                ImageEncoding encoding = new ImageEncoding(
                        clip,
                        file,
                        new ImageEncoding.Settings(options.scale(), options.tokens(), options.batch(), strict));
                encodeImages(encoding, set, processes.isFirst() ? problems : List.of());
            }
        }
    }

    private void finish(EmbeddingsFile file) throws JsonProcessingException {
        options.describe(file, notRead);
        file.finish();
        report(file.list("images").size(), file.list("skipped"));
    }

    private void encodeTexts(Clip clip, EmbeddingsFile file) {
        if (!texts.isEmpty()) {
            file.append("text_embeds", clip.encodeTexts(texts, options.scale()), clip.embeddingDim());
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

    private void report(int count, List<String> skippedImages) throws JsonProcessingException {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("out", options.out().toString());
        report.put("images", count);
        report.put("texts", texts.size());
        report.put("skipped", skippedImages);
        report.put("notRead", notRead);
        report.put("precision", options.precisionName());
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            writer.println(new ObjectMapper().writeValueAsString(report));
        } else {
            int skipped = skippedImages.size();
            writer.println(options.out() + ": " + report.get("images") + " images, " + texts.size() + " texts"
                    + (skipped == 0 ? "" : ", " + skipped + " images skipped"));
        }
        writer.flush();
    }
}
