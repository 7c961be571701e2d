package dev.diva.bench.truesize;

import dev.diva.bench.truesize.ClipTensors.Tower;
import dev.diva.model.PublishedVocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes model folders of true size with random weights, as transformers and diffusers lay them out: {@code OUT KIND...}. A kind's folder
 * is {@code OUT/KIND}; what is there already is kept.
 */
public final class TrueSize {
    private static final long SEED = 1;
    private static final int CONTEXT = (int) ClipTensors.CONTEXT;

    private static final Map<String, Maker> KINDS = new TreeMap<>(Map.of(
            "vit-l-14",
            folder -> clip(folder, new Tower(1024, 24, 16), 14, new Tower(768, 12, 12), 768),
            "vit-b-16",
            folder -> clip(folder, new Tower(768, 12, 12), 16, new Tower(512, 12, 8), 512),
            "sd21-base",
            folder -> diffusion(folder, new Teacher(new Tower(1024, 23, 16), true, "gelu", "[5, 10, 20, 20]", "!")),
            "sd15",
            folder ->
                    diffusion(folder, new Teacher(new Tower(768, 12, 12), false, "quick_gelu", "8", "<|endoftext|>"))));

    /** What tells the Stable Diffusions apart; heads and padding as their files spell them. */
    private record Teacher(Tower text, boolean hasLinearProjection, String activation, String heads, String padding) {}

    private interface Maker {
        void make(Path folder) throws IOException;
    }

    private TrueSize() {}

    /** Usage: OUT [vit-l-14 | vit-b-16 | sd21-base | sd15]...; without a kind ViT-L/14 and SD 2.1-base. */
    public static void main(String[] args) throws IOException {
        if (args.length == 0) {
            throw new IllegalArgumentException("usage: true-size OUT [vit-l-14 | vit-b-16 | sd21-base | sd15]...");
        }
        List<String> kinds = args.length > 1 ? List.of(args).subList(1, args.length) : List.of("vit-l-14", "sd21-base");
        for (String name : kinds) {
            Maker maker = KINDS.get(name);
            if (maker == null) {
                throw new IllegalArgumentException("unknown kind " + name + "; known: " + KINDS.keySet());
            }
            Path folder = Path.of(args[0]).resolve(name);
            if (!Files.exists(folder)) {
                maker.make(folder);
            }
            System.out.println(folder);
        }
    }

    private static void clip(Path folder, Tower vision, long patchSize, Tower text, long projection)
            throws IOException {
        Files.createDirectories(folder);
        TensorList tensors = ClipTensors.clip(vision, 224, patchSize, text, projection);
        RandomWeights.write(folder.resolve("model.safetensors"), tensors.infos(), SEED);
        PublishedVocabulary.write(folder, CONTEXT);
        resource("preprocessor_config.json", folder, "preprocessor_config.json", Map.of());
        resource(
                "clip_config.json",
                folder,
                "config.json",
                Map.of(
                        "PROJECTION",
                        projection,
                        "PATCH",
                        patchSize,
                        "VISION",
                        towerJson(vision),
                        "TEXT",
                        towerJson(text)));
    }

    private static void diffusion(Path folder, Teacher teacher) throws IOException {
        autoencoder(folder.resolve("vae"));
        unet(folder.resolve("unet"), teacher);
        textEncoder(folder.resolve("text_encoder"), teacher);
        tokenizer(folder.resolve("tokenizer"), teacher.padding);
        resource("scheduler_config.json", folder.resolve("scheduler"), "scheduler_config.json", Map.of());
        resource("model_index.json", folder, "model_index.json", Map.of());
    }

    private static void unet(Path folder, Teacher teacher) throws IOException {
        Files.createDirectories(folder);
        TensorList tensors = new UNetTensors(teacher.text.width(), teacher.hasLinearProjection).all();
        RandomWeights.write(folder.resolve("diffusion_pytorch_model.safetensors"), tensors.infos(), SEED);
        resource(
                "unet_config.json",
                folder,
                "config.json",
                Map.of("HEADS", teacher.heads, "CONTEXT", teacher.text.width(), "LINEAR", teacher.hasLinearProjection));
    }

    private static void autoencoder(Path folder) throws IOException {
        Files.createDirectories(folder);
        RandomWeights.write(
                folder.resolve("diffusion_pytorch_model.safetensors"),
                AutoencoderTensors.all().infos(),
                SEED);
        resource("vae_config.json", folder, "config.json", Map.of());
    }

    private static void textEncoder(Path folder, Teacher teacher) throws IOException {
        Files.createDirectories(folder);
        RandomWeights.write(
                folder.resolve("model.safetensors"),
                ClipTensors.textEncoder(teacher.text).infos(),
                SEED);
        resource(
                "text_encoder_config.json",
                folder,
                "config.json",
                Map.of("TEXT", towerJson(teacher.text), "ACTIVATION", teacher.activation));
    }

    private static void tokenizer(Path folder, String padding) throws IOException {
        Files.createDirectories(folder);
        PublishedVocabulary.write(folder, CONTEXT);
        for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
            Path file = folder.resolve(name);
            String written = Files.readString(file);
            Files.writeString(
                    file, written.replace("\"pad_token\" : \"<|endoftext|>\"", "\"pad_token\" : \"" + padding + "\""));
        }
    }

    private static String towerJson(Tower tower) {
        return "\"hidden_size\": " + tower.width() + ", \"intermediate_size\": " + tower.intermediate()
                + ", \"num_hidden_layers\": " + tower.layers() + ", \"num_attention_heads\": " + tower.heads();
    }

    /** Copies a resource of this package with its $NAMES replaced. */
    private static void resource(String name, Path folder, String fileName, Map<String, Object> values)
            throws IOException {
        Files.createDirectories(folder);
        try (InputStream in = TrueSize.class.getResourceAsStream(name)) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            for (Map.Entry<String, Object> value : values.entrySet()) {
                text = text.replace("$" + value.getKey(), value.getValue().toString());
            }
            Files.writeString(folder.resolve(fileName), text);
        }
    }
}
