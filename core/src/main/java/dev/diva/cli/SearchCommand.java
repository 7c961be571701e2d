package dev.diva.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.clip.EmbeddingsIndex;
import dev.diva.clip.EmbeddingsIndex.Match;
import dev.diva.engine.Precision;
import dev.diva.hub.Models;
import dev.diva.report.PairGallery;
import dev.diva.report.ReportWriter;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Nearest neighbours of texts and images among embeddings on disk. */
@Command(
        name = "search",
        mixinStandardHelpOptions = true,
        description =
                "Find the rows of diva encode's files that are most like a text or an image: every row is compared.")
public final class SearchCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--index",
            required = true,
            arity = "1..*",
            paramLabel = "FILE",
            description = "Files of diva encode, of one model.")
    private List<Path> index;

    @Option(names = "--text", arity = "1..*", paramLabel = "STRING", description = "Texts to search for.")
    private List<String> texts = new ArrayList<>();

    @Option(names = "--image", arity = "1..*", paramLabel = "FILE", description = "Images to search for.")
    private List<Path> images = new ArrayList<>();

    @Option(
            names = "--clip",
            converter = ModelPath.class,
            paramLabel = "MODEL",
            description = "The model that encodes what is searched for. Default: the one that the files name.")
    private Path model;

    @Option(names = "--format", description = "Layout: hf, open_clip, openai or diva. Default: found in the content.")
    private String format;

    @Option(names = "--top", defaultValue = "10", description = "Rows of each answer. Default: ${DEFAULT-VALUE}.")
    private int top;

    @Option(names = "--html", paramLabel = "FILE", description = "Write a page with the pictures that were found.")
    private Path html;

    @Mixin
    private ThreadsOption threads;

    @Mixin
    private DeviceOption device;

    @Option(names = "--json", description = "Print the answers as JSON.")
    private boolean json;

    @Override
    public Integer call() {
        if (texts.isEmpty() && images.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "give --text, --image or both");
        }
        if (top < 1) {
            throw new ParameterException(spec.commandLine(), "--top is " + top + ", expected at least 1");
        }
        if (html != null && !html.toString().endsWith(".html")) {
            throw new ParameterException(
                    spec.commandLine(), "--html is " + html + ", expected a name that ends with .html");
        }
        Map<String, List<Match>> answers = new LinkedHashMap<>();
        try (EmbeddingsIndex rows = new EmbeddingsIndex(index)) {
            queries(rows).forEach((query, embedding) -> answers.put(query, rows.nearest(embedding, top)));
        }
        if (html != null) {
            ReportWriter.write(page(answers), html);
        }
        print(answers);
        return 0;
    }

    private Map<String, float[]> queries(EmbeddingsIndex rows) {
        Clip.Options options = Clip.Options.DEFAULT
                .withPrecision(Precision.FP32)
                .withThreads(threads.count())
                .withDevice(device.name())
                .withFormat(format)
                .withUsedOnce(images.size() <= 1);
        try (Clip clip = Clip.load(model(rows), options)) {
            Warnings.print(spec, clip.notes());
            if (clip.embeddingDim() != rows.width()) {
                throw new BadInputException(index.get(0) + ": rows of " + rows.width() + " values, but " + clip.file()
                        + " gives " + clip.embeddingDim() + "; give the --clip that they are of");
            }
            Map<String, float[]> queries = new LinkedHashMap<>();
            float[][] ofTexts = clip.embed(texts);
            for (int i = 0; i < texts.size(); i++) {
                queries.put(texts.get(i), ofTexts[i]);
            }
            float[][] ofImages = clip.embed(images.toArray(Path[]::new));
            for (int i = 0; i < images.size(); i++) {
                queries.put(images.get(i).toString(), ofImages[i]);
            }
            return queries;
        }
    }

    private Path model(EmbeddingsIndex rows) {
        if (model != null) {
            return model;
        }
        return Models.resolve(rows.model()
                .orElseThrow(() -> new BadInputException(index.get(0) + ": does not say its model; give --clip")));
    }

    private void print(Map<String, List<Match>> answers) {
        PrintWriter writer = spec.commandLine().getOut();
        if (json) {
            ArrayNode root = new ObjectMapper().createArrayNode();
            answers.forEach((query, matches) -> {
                ObjectNode answer = root.addObject().put("query", query);
                ArrayNode list = answer.putArray("matches");
                matches.forEach(
                        match -> list.addObject().put("name", match.name()).put("cosine", match.cosine()));
            });
            writer.println(root.toPrettyString());
        } else {
            answers.forEach((query, matches) -> {
                writer.println(query);
                matches.forEach(match ->
                        writer.println(String.format(Locale.ROOT, "  %.4f  %s", match.cosine(), match.name())));
            });
        }
        writer.flush();
    }

    private static PairGallery page(Map<String, List<Match>> answers) {
        List<PairGallery.Item> items = new ArrayList<>();
        answers.forEach((query, matches) -> {
            List<String> captions = matches.stream()
                    .map(match -> String.format(Locale.ROOT, "%.3f %s", match.cosine(), match.name()))
                    .toList();
            items.add(PairGallery.Item.of(
                    query, captions, matches.stream().map(Match::name).toList()));
        });
        return new PairGallery("Found by diva", "Cosine of the embeddings; every row was compared.", items);
    }
}
