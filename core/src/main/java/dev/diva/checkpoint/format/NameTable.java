package dev.diva.checkpoint.format;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.diva.checkpoint.TensorSource;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * How the names of one layout correspond to ours: the rules and the names that are left out, each with its reason. The tables are the YAML files
 * beside this class.
 *
 * @param name of the resource
 * @param anchor a stored name that only this layout has, or also those with other marks
 * @param marks stored names that tell it from others of the same anchor
 * @param rules tried in order, each on whole names
 * @param ignored patterns of stored names without meaning for the model, and why
 */
public record NameTable(
        String name, String anchor, List<String> marks, List<NameRule> rules, Map<Pattern, String> ignored) {
    /** Our own names: those of transformers, for CLIP and SigLIP. */
    public static final NameTable HF = load("hf");

    /** An image tower of transformers saved by itself, as its fifth version does: without {@code vision_model.}. */
    static final NameTable HF_VISION = load("hf-vision");

    /** OpenAI's names, which open_clip kept. */
    public static final NameTable OPENAI = load("openai");

    /** open_clip with the text tower under {@code text.}. */
    public static final NameTable CUSTOM_TEXT = load("open_clip-custom-text");

    /** open_clip's MobileCLIP-B, whose patches several convolutions make. */
    static final NameTable MOBILECLIP_B = load("open_clip-mobileclip-b");

    /** open_clip's SigLIP, with the image tower of timm. */
    public static final NameTable TIMM_SIGLIP = load("open_clip-siglip");

    /** open_clip's CLIPs with image towers of timm: PE-Core, EVA-02-CLIP, EVA-CLIP, OpenAI's form with a bias behind, MobileCLIP-B. */
    public static final List<NameTable> TIMM_CLIP = List.of(
            load("open_clip-pe"), load("open_clip-eva02"), load("open_clip-eva"), load("open_clip-vit"), MOBILECLIP_B);

    /** FLUX.1's own file of its autoencoder; ours are the names of diffusers. */
    public static final NameTable FLUX_AUTOENCODER = load("flux-autoencoder");

    private static NameTable load(String name) {
        JsonNode root = read(name);
        Map<Pattern, String> ignored = new LinkedHashMap<>();
        root.path("ignored")
                .properties()
                .forEach(e ->
                        ignored.put(Pattern.compile(e.getKey()), e.getValue().asText()));
        return new NameTable(name, root.path("anchor").asText(), strings(root.path("marks")), rules(root), ignored);
    }

    private static JsonNode read(String name) {
        try (InputStream in = NameTable.class.getResourceAsStream(name + ".yaml")) {
            return new ObjectMapper(new YAMLFactory()).readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The rules of a file, those of the files that it includes in their place. */
    private static List<NameRule> rules(JsonNode root) {
        List<NameRule> rules = new ArrayList<>();
        for (JsonNode rule : root.path("rules")) {
            if (rule.has("include")) {
                rules.addAll(rules(read(rule.path("include").asText())));
            } else {
                rules.add(rule(rule));
            }
        }
        return rules;
    }

    private static NameRule rule(JsonNode node) {
        List<Integer> parts = new ArrayList<>();
        node.path("parts").forEach(part -> parts.add(part.asInt()));
        List<String> stored = strings(node.path("stored"));
        List<String> ours = strings(node.path("ours"));
        while (parts.size() < Math.max(stored.size(), ours.size())) {
            parts.add(1);
        }
        String change = node.path("change").asText("none").toUpperCase(java.util.Locale.ROOT);
        return new NameRule(stored, ours, NameRule.Change.valueOf(change), parts);
    }

    private static List<String> strings(JsonNode node) {
        List<String> strings = new ArrayList<>();
        if (node.isArray()) {
            node.forEach(item -> strings.add(item.asText()));
        } else if (!node.isMissingNode()) {
            strings.add(node.asText());
        }
        return strings;
    }

    /** The first of some tables whose marks a file has, or another. */
    static NameTable marked(List<NameTable> tables, TensorSource stored, String prefix, NameTable other) {
        return tables.stream()
                .filter(table -> table.marks.stream().allMatch(mark -> stored.info(prefix + mark) != null))
                .findFirst()
                .orElse(other);
    }

    /** Whether tensors under our names are those of this layout, as its marks tell. */
    boolean isOf(TensorSource ours) {
        return marks.stream().allMatch(mark -> ours.info(ourName(mark)) != null);
    }

    private String ourName(String storedName) {
        return rules.stream()
                .flatMap(rule -> rule
                        .matchStored(storedName)
                        .map(match -> match.fill(rule.ours().get(0)))
                        .stream())
                .findFirst()
                .orElse(storedName);
    }

    /** Whether our names are this layout's names. */
    boolean isOurs() {
        return rules.isEmpty();
    }

    boolean is(NameTable other) {
        return name.equals(other.name);
    }

    boolean ignores(String storedName) {
        return ignored.keySet().stream().anyMatch(p -> p.matcher(storedName).matches());
    }
}
