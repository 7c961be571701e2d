package dev.diva.cli;

import dev.diva.BadInputException;
import dev.diva.data.ImageDecoder;
import dev.diva.data.RasterImage;
import dev.diva.eval.mllm.Item;
import dev.diva.eval.mllm.Picture;
import dev.diva.eval.suite.SuiteRun;
import dev.diva.hub.Models;
import dev.diva.language.Generation;
import dev.diva.mllm.ImageAspect;
import dev.diva.mllm.ImageTokens;
import dev.diva.mllm.Llava;
import dev.diva.mllm.PromptTemplate;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * A LLaVA that answers benchmarks, greedily; loaded for the first question, so that a finished evaluation loads nothing. While it is loaded
 * a signal to stop ends the answer that grows.
 */
final class LlavaAnswerer implements SuiteRun.LlavaModel {
    private final String name;
    private final Path folder;
    private final Llava.Options options;
    private final Asking asking;
    private Llava llava; // null until the first question
    private StopSignals signals; // null as long
    private volatile boolean isStopped;

    /**
     * How it is asked.
     *
     * @param maxNewTokens limit beneath the benchmarks' own
     */
    record Asking(PromptTemplate template, ImageAspect aspect, int maxNewTokens) {}

    LlavaAnswerer(String name, Path folder, Llava.Options options, Asking asking) {
        this.name = name;
        this.folder = folder;
        this.options = options;
        this.asking = asking;
    }

    @Override
    public String name() {
        return name;
    }

    /** Refuses from the headers what could not be loaded later; tells what is assumed. */
    List<String> check() {
        return Llava.check(folder, options);
    }

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("llava", absolute(folder));
        settings.put("base", options.base() == null ? "" : absolute(options.base()));
        settings.put("tower", tower());
        settings.put("precision", options.precision().toString());
        settings.put("template", asking.template.toString());
        settings.put("imageAspect", asking.aspect.toString());
        settings.put("maxNewTokens", asking.maxNewTokens == Integer.MAX_VALUE ? "" : "" + asking.maxNewTokens);
        return settings;
    }

    private String tower() {
        String tower = options.tower();
        if (tower == null) {
            return "";
        }
        return Llava.OWN_TOWERS.contains(tower) ? tower : absolute(Models.resolve(tower));
    }

    private static String absolute(Path path) {
        return path.toAbsolutePath().normalize().toString();
    }

    @Override
    public void answer(Picture picture, List<Item> items, BiConsumer<Item, String> answered) {
        requireGoing();
        RasterImage image = ImageDecoder.reference().decode(picture.read(), picture.name());
        try (ImageTokens seen = llava().image(image, asking.aspect)) {
            for (Item item : items) {
                answered.accept(item, answer(picture, item, seen));
            }
        }
    }

    private String answer(Picture picture, Item item, ImageTokens seen) {
        String prompt = asking.template.ask(item.asked(), true);
        Generation generation = Generation.greedy(Math.min(item.maxNewTokens(), asking.maxNewTokens));
        try {
            return llava().answer(prompt, seen, generation, piece -> requireGoing())
                    .text();
        } catch (BadInputException e) {
            throw new BadInputException(
                    "question " + item.id().asText() + " on " + picture.name() + ": " + e.getMessage(), e);
        }
    }

    private void requireGoing() {
        if (isStopped) {
            throw new Stopped();
        }
    }

    private Llava llava() {
        if (llava == null) {
            llava = Llava.load(folder, options);
            signals = new StopSignals(() -> isStopped = true);
        }
        return llava;
    }

    @Override
    public void close() {
        if (llava != null) {
            signals.close();
            llava.close();
        }
    }
}
