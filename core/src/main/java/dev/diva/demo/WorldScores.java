package dev.diva.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.clip.Clip;
import dev.diva.engine.Precision;
import dev.diva.eval.CaptionTable;
import dev.diva.eval.ClipEncoder;
import dev.diva.eval.Feature;
import dev.diva.eval.Interval;
import dev.diva.eval.MmvpAnswer;
import dev.diva.eval.MmvpEvaluation;
import dev.diva.eval.MmvpReader;
import dev.diva.eval.MmvpScorer;
import dev.diva.eval.MmvpSet;
import dev.diva.eval.RetrievalEvaluation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** All that is measured of a CLIP in a mini world: pairs, gist retrieval, and what linear probes find. */
final class WorldScores {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** So small a model gains nothing from more, and where the machine is busy they wait for each other. */
    static final Clip.Options ONE_THREAD = new Clip.Options(Precision.FP32, 1, 64, null);

    private static final String GIST = "text_retrieval_recall@1";

    private final MmvpSet pairs;
    private final Path retrieval;
    private final FineProbe probe;

    /**
     * Scores of one CLIP, fractions 0..1.
     *
     * @param pairs share of pairs that are right by the tower's own embedding
     * @param ordered share of pairs whose two images the difference of the two statements puts in the right order: 0.5 by chance, and
     *     unlike the pair score free of what both statements prefer
     * @param sig mean of what the two statements tell apart, as {@link MmvpAnswer#sig}
     * @param bias mean of what both prefer alike
     * @param publishedPairs share of pairs that are right by class token + mean of the local tokens
     * @param gist share of images whose caption is found first among all captions
     * @param probeClass share of fine attributes that a linear probe finds in the class token
     * @param probeMean the same in the mean of the local tokens
     * @param patterns share of pairs that are right, by pattern
     * @param right whether each pair is
     */
    record Summary(
            double pairs,
            double ordered,
            double sig,
            double bias,
            double publishedPairs,
            double gist,
            double probeClass,
            double probeMean,
            Map<String, Double> patterns,
            List<Boolean> right) {}

    /** @param split folder of the pairs: validation for choices, test for results */
    WorldScores(Path world, String split) {
        this.pairs = MmvpReader.read(world.resolve(split), MmvpReader.Missing.FAIL);
        this.retrieval = world.resolve("retrieval");
        this.probe = new FineProbe(world);
    }

    /** The same, kept in a file: read where that is there already. */
    Summary kept(Path model, String name, Path records, Path file) {
        try {
            if (!Files.exists(file)) {
                AtomicFile.writeString(file, JSON.writeValueAsString(score(model, name, records)));
            }
            return JSON.readValue(file.toFile(), Summary.class);
        } catch (IOException e) {
            throw new dev.diva.BadInputException(file + ": cannot be read: " + e + "; delete it and start again", e);
        }
    }

    /** Scores a model and writes NAME-*.json, as {@code diva eval --json} prints them, for the report. */
    Summary score(Path model, String name, Path records) {
        try (Clip clip = Clip.load(model, ONE_THREAD)) {
            Files.createDirectories(records);
            MmvpEvaluation native_ = new MmvpEvaluation(pairs);
            List<MmvpAnswer> answers = MmvpScorer.answers(pairs, new ClipEncoder(name, clip, Feature.ZERO_SHOT));
            Map<String, Double> metrics = native_.add(name, answers).metrics();
            write(records.resolve(name + "-1-pairs.json"), native_.finish().toJson());
            RetrievalEvaluation gist = new RetrievalEvaluation(
                    CaptionTable.read(retrieval.resolve("captions.csv"), retrieval, CaptionTable.Selection.DEFAULT),
                    List.of(1));
            double found = gist.add(new ClipEncoder(name, clip, Feature.ZERO_SHOT))
                    .metrics()
                    .get(GIST);
            write(records.resolve(name + "-2-gist.json"), gist.finish().toJson());
            double published = new MmvpEvaluation(pairs)
                    .add(new ClipEncoder(name, clip, Feature.CLASS_PLUS_MEAN_LOCAL))
                    .metrics()
                    .get("average");
            FineProbe.Scores probes = probe.of(clip);
            write(records.resolve(name + "-3-probe.json"), probes(name, probes, published));
            return new Summary(
                    metrics.get("average"),
                    metrics.get("in order"),
                    metrics.get("sig"),
                    metrics.get("bias"),
                    published,
                    found,
                    probes.classToken().share(),
                    probes.meanLocal().share(),
                    answers.stream()
                            .collect(Collectors.groupingBy(
                                    answer -> answer.pair().pattern(),
                                    TreeMap::new,
                                    Collectors.averagingDouble(answer -> answer.correct() ? 1 : 0))),
                    answers.stream().map(MmvpAnswer::correct).toList());
        } catch (IOException e) {
            throw new dev.diva.BadInputException(records + ": cannot be written: " + e, e);
        }
    }

    private ObjectNode probes(String model, FineProbe.Scores probes, double publishedPairs) {
        ObjectNode root = JSON.createObjectNode().put("task", "probe");
        ObjectNode result = root.putArray("results").addObject().put("model", model);
        result.put("data", "fine attributes");
        ObjectNode metrics = result.putObject("metrics");
        ObjectNode intervals = result.putObject("intervals");
        share(metrics, intervals, "probe of the class token", probes.classToken());
        share(metrics, intervals, "probe of the mean of the local tokens", probes.meanLocal());
        int count = pairs.pairs().size();
        int right = Math.toIntExact(Math.round(publishedPairs * count));
        share(metrics, intervals, "pairs by class token + mean of the local tokens", new FineProbe.Score(right, count));
        root.putArray("tests");
        return root;
    }

    private static void share(ObjectNode metrics, ObjectNode intervals, String name, FineProbe.Score score) {
        Interval interval = Interval.wilson(score.right(), score.asked());
        metrics.put(name, score.share());
        intervals.putArray(name).add(interval.low()).add(interval.high());
    }

    private static void write(Path file, ObjectNode json) {
        AtomicFile.writeString(file, json.toPrettyString() + "\n");
    }
}
