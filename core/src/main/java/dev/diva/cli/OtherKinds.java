package dev.diva.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.data.DataProblem;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageSet;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.train.RunFolder;
import dev.diva.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What a path is that is no CLIP and no LLaVA, and where it goes: told by its names and headers alone. */
final class OtherKinds {
    private static final List<String> TARS = List.of(".tar", ".tar.gz", ".tgz");

    private OtherKinds() {}

    /** Facts in the order in which they are told, {@code kind} first and {@code use} last; empty for anything else. */
    static Optional<Map<String, String>> of(Path path) {
        return Files.isDirectory(path) ? folder(path) : file(path);
    }

    private static Optional<Map<String, String>> folder(Path folder) {
        boolean holdsModel = Files.isDirectory(folder.resolve("clip")) || Files.isDirectory(folder.resolve("llava"));
        if (RunFolder.isRun(folder) && !holdsModel) {
            return runAt(folder);
        }
        JsonNode index = json(folder.resolve("model_index.json"));
        if (index.has("_class_name")) {
            return Optional.of(pipeline(folder, index));
        }
        JsonNode config = json(folder.resolve("config.json"));
        if (config.path("model_type").asText().startsWith("dinov2")) {
            return Optional.of(facts(
                    "DINOv2, width " + config.path("hidden_size").asText() + ", "
                            + config.path("num_hidden_layers").asText() + " layers",
                    "diva mine --dino"));
        }
        if (config.path("_class_name").asText().startsWith("Autoencoder")) {
            return Optional.of(facts(
                    "autoencoder (" + config.path("_class_name").asText() + ") of "
                            + config.path("latent_channels").asText("4") + " channels",
                    "diva train --preset genhancer --diffusion"));
        }
        return config.isMissingNode() ? cacheOrImages(folder) : Optional.empty();
    }

    /** What a run is, whose model may be told besides; empty for anything else. */
    static Optional<Map<String, String>> runAt(Path folder) {
        return Files.isDirectory(folder) && RunFolder.isRun(folder) ? Optional.of(run(folder)) : Optional.empty();
    }

    private static Map<String, String> run(Path folder) {
        JsonNode manifest = json(folder.resolve("manifest.json"));
        String objective = manifest.path("objective").asText("");
        boolean isFinished = TrainingRun.isFinished(folder);
        Map<String, String> facts = facts(
                "run of training" + (objective.isEmpty() ? "" : ", " + objective)
                        + (isFinished ? ", finished" : ", not finished"),
                isFinished ? "diva report" : "go on with --resume, or diva report");
        if (Files.isRegularFile(folder.resolve("san.safetensors"))) {
            facts.put("use", "diva segment --san, diva eval segmentation --san");
        } else if (Files.isDirectory(folder.resolve("stage1"))) {
            facts.put("use", "diva train --set stage=2 --set stage1=" + folder);
        }
        return facts;
    }

    private static Map<String, String> pipeline(Path folder, JsonNode index) {
        List<String> parts = new ArrayList<>();
        for (String part : List.of(
                "unet",
                "transformer",
                "vae",
                "text_encoder",
                "text_encoder_2",
                "text_encoder_3",
                "image_normalizer",
                "scheduler")) {
            String name = index.path(part).path(1).asText(null);
            if (name != null) {
                parts.add(part + " " + name + (Files.isDirectory(folder.resolve(part)) ? "" : " (missing)"));
            }
        }
        Map<String, String> facts = facts(
                "diffusion model (" + index.path("_class_name").asText() + ")", "diva train --diffusion, diva cache");
        facts.put("parts", String.join(", ", parts));
        DiffusionModel.refusal(folder).ifPresent(why -> facts.put("use", "none: " + why));
        return ordered(facts);
    }

    private static Optional<Map<String, String>> cacheOrImages(Path folder) {
        try (Stream<Path> inside = Files.list(folder)) {
            long makers = inside.filter(Files::isDirectory)
                    .filter(maker -> maker.getFileName().toString().matches("[0-9a-f]{16}"))
                    .count();
            if (makers > 0) {
                String kinds = makers > 1 ? " of " + makers + " kinds" : "";
                Map<String, String> facts = facts("cache of latents" + kinds, "diva train --cache");
                facts.put("tensors", String.valueOf(cached(folder)));
                return Optional.of(ordered(facts));
            }
        } catch (IOException e) {
            return Optional.empty();
        }
        return holdsModel(folder) ? Optional.empty() : images(folder);
    }

    /** Whether files of a model lie in it: the pictures beside them are those of its page. */
    private static boolean holdsModel(Path folder) {
        String[] names = folder.toFile().list();
        return names != null
                && Arrays.stream(names).anyMatch(name -> name.matches(".*\\.(safetensors|bin|pt|pth|ckpt|json)"));
    }

    private static long cached(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder, 2)) {
            long tensors = 0;
            for (Path file : files.filter(path -> path.toString().endsWith(".safetensors"))
                    .toList()) {
                try (SafetensorsFile shard = SafetensorsFile.open(file)) {
                    tensors += shard.tensors().size();
                } catch (CheckpointException e) {
                    // damaged shards are made again; what is whole counts
                }
            }
            return tensors;
        }
    }

    private static Optional<Map<String, String>> file(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        String suffix = name.substring(name.lastIndexOf('.') + 1);
        if (TARS.stream().anyMatch(name::endsWith) || ImageDecoder.SUFFIXES.contains(suffix)) {
            return images(file);
        }
        if (suffix.equals("npy") || suffix.equals("parquet")) {
            return Optional.of(facts(
                    "a table for other programs, as diva encode writes one (" + suffix + ")",
                    "none: diva search and diva encode --known read .safetensors"));
        }
        if (!name.endsWith(".safetensors")) {
            return Optional.empty();
        }
        try (SafetensorsFile opened = SafetensorsFile.open(file)) {
            if (opened.info("image_embeds") != null || opened.info("text_embeds") != null) {
                return Optional.of(embeddings(opened));
            }
            boolean isSan =
                    opened.tensors().stream().anyMatch(info -> info.name().startsWith("side_adapter_network."));
            return isSan
                    ? Optional.of(
                            facts("SAN", "diva segment --san, diva eval segmentation --san, segment train --start"))
                    : Optional.empty();
        } catch (CheckpointException e) {
            return Optional.empty(); // told by who reads weights
        }
    }

    private static Map<String, String> embeddings(SafetensorsFile file) {
        Map<String, String> facts = facts("embeddings", "diva search --index, diva encode --known");
        for (TensorInfo info : file.tensors()) {
            facts.put(info.name(), Arrays.toString(info.shape()));
        }
        facts.put("model", file.metadata().getOrDefault("model", "not told"));
        return ordered(facts);
    }

    private static Optional<Map<String, String>> images(Path path) {
        List<DataProblem> problems = new ArrayList<>();
        ImageSet images;
        try {
            images = ImageSet.open(List.of(path.toString()), problems::add);
        } catch (BadInputException e) {
            return Optional.empty();
        }
        Map<String, String> facts = facts("images", "--images");
        facts.put("count", String.valueOf(images.size()));
        if (!problems.isEmpty()) {
            facts.put("left out", problems.size() + "; the first: " + problems.get(0));
        }
        if (!images.notReadWords().isEmpty()) {
            facts.put("not read", images.notReadWords());
        }
        return Optional.of(ordered(facts));
    }

    private static Map<String, String> facts(String kind, String use) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("kind", kind);
        facts.put("use", use);
        return facts;
    }

    private static Map<String, String> ordered(Map<String, String> facts) {
        String use = facts.remove("use");
        facts.put("use", use);
        return facts;
    }

    private static JsonNode json(Path file) {
        try {
            return Files.isRegularFile(file) ? new ObjectMapper().readTree(file.toFile()) : MissingNode.getInstance();
        } catch (IOException e) {
            return MissingNode.getInstance(); // told by who reads models
        }
    }
}
