package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Engine;
import dev.diva.engine.Precision;
import dev.diva.eval.Interval;
import dev.diva.feedback.TeacherCheck;
import dev.diva.feedback.TeacherPairs;
import dev.diva.posttrain.run.TeacherCheckRun;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What a teacher knows of detail, by noise level. */
@Command(
        name = "teacher-check",
        mixinStandardHelpOptions = true,
        description = {
            "What a diffusion model knows of detail, by noise level: its loss under the full caption, the gist alone, and a"
                    + " caption with a single attribute wrong, and how often the right one has the lower loss.",
            "Proposes timesteps.min and timesteps.max. Losses are of the velocity, whatever the model predicts."
        })
public final class TeacherCheckCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--diffusion",
            converter = ModelPath.class,
            required = true,
            paramLabel = "DIR",
            description = "The diffusion model.")
    private Path diffusion;

    @Option(
            names = "--clip",
            converter = ModelPath.class,
            paramLabel = "MODEL",
            description =
                    "Also how often this CLIP tells the right caption from the wrong one: what it knows better than the"
                            + " teacher it will lose.")
    private Path clip;

    @Option(
            names = "--anchor",
            paramLabel = "F",
            description =
                    "Also the loss under the full caption as the CLIP embeds it, through this file of diva anchor.")
    private Path anchor;

    @Option(
            names = "--captions",
            required = true,
            paramLabel = "PAIRS",
            description =
                    "JSON lines, or CSV with a header: image, caption (all detail), gist (no detail), wrong (the caption"
                            + " with one attribute changed).")
    private Path captions;

    @Option(
            names = "--images",
            paramLabel = "DIR",
            description = "Folder that the images lie in. Default: that of PAIRS.")
    private Path images;

    @Option(
            names = "--resolution",
            defaultValue = "512",
            description = "Side of the images' central squares, pixels. Default: 512.")
    private int resolution;

    @Option(
            names = "--timesteps",
            split = ",",
            paramLabel = "T",
            description = "Levels to judge at. Default: ten from low to high noise.")
    private List<Long> timesteps = List.of();

    @Option(names = "--draws", defaultValue = "1", description = "Noises of each image. Default: 1.")
    private int draws;

    @Option(names = "--seed", defaultValue = "1", description = "Of the noise. Default: 1.")
    private long seed;

    @Mixin
    private ThreadsOption threads;

    @Mixin
    private DeviceOption device;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        if (draws < 1 || resolution < 1) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--draws is " + draws + ", --resolution " + resolution + ", expected 1 or more");
        }
        if (anchor != null && clip == null) {
            throw new ParameterException(spec.commandLine(), "--anchor needs --clip, which embeds the captions");
        }
        Path folder = images == null ? captions.toAbsolutePath().getParent() : images;
        List<TeacherPairs.Pair> pairs = TeacherPairs.read(captions, folder);
        Engine.setThreads(threads.count());
        try (DiffusionModel teacher = DiffusionModel.load(diffusion, device.placement(Precision.FP32));
                Clip embedder = clip == null
                        ? null
                        : Clip.load(
                                clip,
                                Clip.Options.DEFAULT
                                        .withThreads(threads.count())
                                        .withDevice(device.name()));
                Progress progress = Progress.start(
                        "images",
                        (long) draws * pairs.size(),
                        spec.commandLine().getErr())) {
            TeacherCheckRun.Settings settings = new TeacherCheckRun.Settings(
                    resolution, draws, seed, levels(teacher.schedule().numTrainTimesteps()));
            Double clipKnows = clip == null ? null : TeacherCheckRun.clipKnows(embedder, pairs);
            List<TeacherCheck.Level> levels = TeacherCheckRun.of(
                    teacher,
                    pairs,
                    settings,
                    anchor == null ? null : new TeacherCheckRun.Anchored(embedder, anchor),
                    progress::at);
            print(levels, new TeacherCheck(teacher.denoiser(), teacher.schedule()).propose(levels), clipKnows);
        }
        return 0;
    }

    private long[] levels(int count) {
        if (timesteps.isEmpty()) {
            return TeacherCheckRun.levels(count);
        }
        for (long timestep : timesteps) {
            if (timestep < 0 || timestep >= count) {
                throw new BadInputException("--timesteps has " + timestep + ", the teacher has 0 to " + (count - 1));
            }
        }
        return timesteps.stream().mapToLong(Long::longValue).sorted().distinct().toArray();
    }

    private void print(List<TeacherCheck.Level> levels, Optional<TeacherCheck.Range> range, Double clipKnows)
            throws JsonProcessingException {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(new ObjectMapper().writeValueAsString(record(levels, range, clipKnows)));
        } else {
            out.println(
                    "timestep     full     gist    wrong" + (anchor == null ? "" : " anchored") + "   detail    knows");
            levels.forEach(level -> out.printf(
                    Locale.ROOT,
                    "%8d %8.4f %8.4f %8.4f"
                            + (anchor == null ? "" : String.format(Locale.ROOT, " %8.4f", level.anchored()))
                            + " %6.1f %% %6.1f %%  %s%n",
                    level.timestep(),
                    level.full(),
                    level.gist(),
                    level.wrong(),
                    100 * level.detail(),
                    100 * level.knows(),
                    Arrays.stream(new double[] {knows(level).low(), knows(level).high()})
                            .mapToObj(share -> String.format(Locale.ROOT, "%.1f", 100 * share))
                            .toList()));
            if (clipKnows != null) {
                out.printf(
                        Locale.ROOT,
                        "the CLIP tells %.1f %% of the right captions from the wrong ones%n",
                        100 * clipKnows);
            }
            out.println(range.map(found -> "detail counts from timestep " + found.min() + " to " + found.max()
                            + ": --set timesteps.min=" + found.min() + " --set timesteps.max=" + found.max()
                            + " --set timesteps.weight=velocity")
                    .orElse(
                            "no noise level at which this teacher tells the right caption from the wrong one: it cannot teach"
                                    + " this detail"));
        }
        out.flush();
    }

    private static Interval knows(TeacherCheck.Level level) {
        return Interval.wilson(Math.toIntExact(Math.round(level.knows() * level.images())), level.images());
    }

    private ObjectNode record(List<TeacherCheck.Level> levels, Optional<TeacherCheck.Range> range, Double clipKnows) {
        ObjectNode root = new ObjectMapper().createObjectNode();
        root.put("diffusion", diffusion.toString()).put("captions", captions.toString());
        if (clipKnows != null) {
            root.put("clip", clip.toString()).put("clipKnows", clipKnows);
        }
        ArrayNode array = root.putArray("levels");
        for (TeacherCheck.Level level : levels) {
            ObjectNode node = array.addObject()
                    .put("timestep", level.timestep())
                    .put("full", level.full())
                    .put("gist", level.gist())
                    .put("wrong", level.wrong())
                    .put("detail", level.detail())
                    .put("knows", level.knows())
                    .put("images", level.images());
            if (anchor != null) {
                node.put("anchored", level.anchored());
            }
            node.putArray("interval").add(knows(level).low()).add(knows(level).high());
        }
        if (range.isPresent()) {
            root.putObject("timesteps")
                    .put("min", range.orElseThrow().min())
                    .put("max", range.orElseThrow().max());
        } else {
            root.putNull("timesteps");
        }
        return root;
    }
}
