package dev.diva.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.pickle.StateDictWriter;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import dev.diva.testing.Close;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole folders: what is read, and what is said of folders that are none. */
class DiffusionModelTest {
    private static final Path SD21 = Golden.model("sd21");
    private static final Map<String, String> PROMPTS =
            Map.of("empty", "a photo of a .", "words", "a photo of two red cats on a table.");

    @Tag("golden")
    @Test
    void folderGivesTheNumbersOfDiffusers() {
        Path folder = Golden.path("sd21");
        Golden unet = Golden.of("sd21-unet");
        Golden text = Golden.of("text-encoder");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                DiffusionModel model = DiffusionModel.load(folder, Placement.cpu(Precision.FP32))) {
            Tensor condition = unet.input("context_77");
            Close.assertCloseToLargest(
                    model.denoiser().predict(unet.input("z_t"), unet.input("timesteps"), condition),
                    unet.expected("eps_77"),
                    unet.tolerance(),
                    unet.tolerance());
            PROMPTS.forEach((name, prompt) -> Close.assertClose(
                    model.encodePrompt(prompt),
                    text.expected("sd21." + name + ".last_hidden_state"),
                    0,
                    text.tolerance()));
            assertThat(model.denoiser().crossAttentionDim()).isEqualTo(condition.size(2));
        }
    }

    @Test
    void filesOfTheFolderAreTold() {
        try (DiffusionModel model = DiffusionModel.load(SD21, Placement.cpu(Precision.FP32))) {
            assertThat(model.autoencoder().downscale()).isEqualTo(8);
            assertThat(model.files().stream().map(SD21::relativize).map(Path::toString))
                    .containsExactlyInAnyOrder(
                            "model_index.json",
                            "unet/config.json",
                            "unet/diffusion_pytorch_model.safetensors",
                            "vae/config.json",
                            "vae/diffusion_pytorch_model.safetensors",
                            "scheduler/scheduler_config.json",
                            "text_encoder/config.json",
                            "text_encoder/model.safetensors",
                            "tokenizer/vocab.json",
                            "tokenizer/merges.txt",
                            "tokenizer/tokenizer_config.json",
                            "tokenizer/special_tokens_map.json");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"fp16", "bf16", "bin", "fp16.bin", "sharded", "sharded.fp16", "sharded.bf16", "old names"})
    void everyWayOfStoringGivesTheSameNumbers(String way, @TempDir Path copy) throws IOException {
        copyFolder(SD21, copy);
        rewrite(copy, way);
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                DiffusionModel stored = DiffusionModel.load(copy, Placement.cpu(Precision.FP32));
                DiffusionModel original = DiffusionModel.load(SD21, Placement.cpu(Precision.FP32))) {
            Golden golden = Golden.resource("sd21-unet");
            Tensor zt = golden.input("z_t");
            Tensor timesteps = golden.input("timesteps");
            Tensor condition = golden.input("context_43");
            Close.assertClose(
                    stored.denoiser().predict(zt, timesteps, condition),
                    original.denoiser().predict(zt, timesteps, condition),
                    0,
                    0);
            Close.assertClose(
                    stored.autoencoder().decode(zt), original.autoencoder().decode(zt), 0, 0);
            Close.assertClose(stored.encodePrompt("a cat"), original.encodePrompt("a cat"), 0, 0);
            assertThat(stored.files()).allSatisfy(file -> assertThat(file).exists());
            assertThat(stored.files().size() >= original.files().size()).isTrue();
        }
    }

    private static void rewrite(Path folder, String way) throws IOException {
        Path unet = folder.resolve("unet/diffusion_pytorch_model.safetensors");
        Path vae = folder.resolve("vae/diffusion_pytorch_model.safetensors");
        Path text = folder.resolve("text_encoder/model.safetensors");
        switch (way) {
            case "fp16", "bf16" -> {
                String ending = "." + way + ".safetensors";
                Files.move(unet, unet.resolveSibling("diffusion_pytorch_model" + ending));
                Files.move(vae, vae.resolveSibling("diffusion_pytorch_model" + ending));
                Files.move(text, text.resolveSibling("model" + ending));
            }
            case "bin", "fp16.bin" -> {
                String ending = "." + way;
                pickle(unet, unet.resolveSibling("diffusion_pytorch_model" + ending));
                pickle(vae, vae.resolveSibling("diffusion_pytorch_model" + ending));
                pickle(text, text.resolveSibling("pytorch_model" + ending));
            }
            case "sharded" -> shard(unet, "diffusion_pytorch_model.safetensors.index.json");
            case "sharded.fp16", "sharded.bf16" ->
                shard(unet, "diffusion_pytorch_model.safetensors.index." + way.substring(8) + ".json");
            case "old names" -> oldNames(vae);
            default -> throw new IllegalArgumentException(way);
        }
    }

    private static void pickle(Path from, Path to) throws IOException {
        try (PointerScope scope = new PointerScope();
                SafetensorsFile file = SafetensorsFile.open(from)) {
            StateDictWriter.write(to, tensors(file));
        }
        Files.delete(from);
    }

    private static void shard(Path file, String index) throws IOException {
        ObjectNode root = new ObjectMapper().createObjectNode();
        ObjectNode map = root.putObject("weight_map");
        try (PointerScope scope = new PointerScope();
                SafetensorsFile stored = SafetensorsFile.open(file)) {
            List<Map<String, Tensor>> shards = List.of(new LinkedHashMap<>(), new LinkedHashMap<>());
            tensors(stored).forEach((name, tensor) -> {
                int shard = map.size() % 2;
                shards.get(shard).put(name, tensor);
                map.put(name, "part-" + shard + ".safetensors");
            });
            for (int i = 0; i < 2; i++) {
                SafetensorsWriter.write(file.resolveSibling("part-" + i + ".safetensors"), shards.get(i), Map.of());
            }
        }
        Files.delete(file);
        new ObjectMapper().writeValue(file.resolveSibling(index).toFile(), root);
    }

    private static void oldNames(Path file) throws IOException {
        Path old = file.resolveSibling("old.safetensors");
        try (PointerScope scope = new PointerScope();
                SafetensorsFile stored = SafetensorsFile.open(file)) {
            Map<String, Tensor> renamed = new LinkedHashMap<>();
            tensors(stored)
                    .forEach((name, tensor) -> renamed.put(
                            name.replace("to_q", "query")
                                    .replace("to_k", "key")
                                    .replace("to_v", "value")
                                    .replace("to_out.0", "proj_attn"),
                            tensor));
            SafetensorsWriter.write(old, renamed, Map.of());
        }
        Files.move(old, file, StandardCopyOption.REPLACE_EXISTING);
    }

    private static Map<String, Tensor> tensors(SafetensorsFile file) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        file.tensors().forEach(info -> tensors.put(info.name(), file.read(info.name())));
        return tensors;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        unet/config.json | no unet/config.json (model_index.json says StableDiffusionPipeline): a latent diffusion teacher has a denoiser in unet/ or transformer/
        vae/config.json | no vae/config.json (model_index.json says StableDiffusionPipeline): not a latent diffusion model without an autoencoder in vae/
        scheduler/scheduler_config.json | no scheduler/scheduler_config.json (model_index.json says StableDiffusionPipeline): the noise that the model was trained with is unknown
        text_encoder/config.json | no text_encoder/config.json (model_index.json says StableDiffusionPipeline): a text-to-image model has a text encoder
        tokenizer/vocab.json | no tokenizer/vocab.json with merges.txt: a text-to-image model has a tokenizer
        unet/diffusion_pytorch_model.safetensors | no weights in unet/: expected diffusion_pytorch_model.safetensors or .bin, or their fp16 variant or index of shards
        vae/diffusion_pytorch_model.safetensors | no weights in vae/: expected diffusion_pytorch_model.safetensors or .bin, or their fp16 variant or index of shards
        """)
    void missingPartIsNamedInOneLine(String file, String message, @TempDir Path copy) throws IOException {
        copyFolder(SD21, copy);
        Files.delete(copy.resolve(file));
        assertThatThrownBy(() -> DiffusionModel.load(copy, Placement.cpu(Precision.FP32)))
                .isInstanceOf(BadInputException.class)
                .hasMessage(copy + ": " + message);
    }

    @Test
    void latentsOfATransformerAreMultiplesOfItsPatches(@TempDir Path copy) throws IOException {
        copyFolder(SD21.resolve("vae"), copy.resolve("vae"));
        copyFolder(SD21.resolve("scheduler"), copy.resolve("scheduler"));
        Path transformer = copy.resolve("transformer");
        copyFolder(Golden.model("dit").resolve("transformer"), transformer);
        long patch = new ObjectMapper()
                .readTree(transformer.resolve("config.json").toFile())
                .path("patch_size")
                .asLong();
        try (DiffusionModel dit = DiffusionModel.load(copy, Placement.cpu(Precision.FP32))) {
            assertThat(dit.latentMultiple()).isEqualTo(patch).isGreaterThan(1);
            assertThat(dit.denoiser()).isInstanceOf(Dit.class);
        }
    }

    @Test
    void denoiserIsReadWhenItIsAskedForAndNotForLatents(@TempDir Path copy) throws IOException {
        copyFolder(SD21, copy);
        Path weights = copy.resolve("unet/diffusion_pytorch_model.safetensors");
        Files.writeString(weights, "cut");
        Golden golden = Golden.resource("sd21-unet");
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                DiffusionModel damaged = DiffusionModel.load(copy, Placement.cpu(Precision.FP32));
                DiffusionModel whole = DiffusionModel.load(SD21, Placement.cpu(Precision.FP32))) {
            Tensor zt = golden.input("z_t");
            Close.assertClose(
                    damaged.autoencoder().decode(zt), whole.autoencoder().decode(zt), 0, 0);
            assertThat(damaged.files()).contains(weights);
            assertThat(damaged.latentMultiple()).isEqualTo(1);
            assertThatThrownBy(damaged::denoiser)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(weights.toString());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
        unet | "in_channels": 4 | "in_channels": 9 | unet/config.json: out_channels is 4, expected in_channels 9, as in a text-to-image model
        unet | "resnet_time_scale_shift": "default" | "resnet_time_scale_shift": "scale_shift" | unet/config.json: resnet_time_scale_shift is "scale_shift", expected default
        unet | "cross_attention_dim": 32 | "cross_attention_dim": 48 | : unet/config.json has cross_attention_dim 48, text_encoder/config.json hidden_size 32: not parts of one model
        unet | "mid_block_type": "UNetMidBlock2DCrossAttn" | "mid_block_type": null | unet/config.json: mid_block_type is null, expected UNetMidBlock2DCrossAttn
        vae | "latents_mean": null | "latents_mean": [0.5] | vae/config.json: latents_mean is [0.5], expected null
        vae | "scaling_factor": 0.18215 | "scaling_factor": 0 | vae/config.json: scaling_factor is 0, expected a number above 0
        text_encoder | "projection_dim": | "quantization_config": {}, "projection_dim": | text_encoder/config.json: quantization_config is {}, expected null
        vae | "latent_channels": 4 | "latent_channels": 16 | : unet/config.json reads latents of 4 channels, vae/config.json makes 16: not parts of one text-to-image model
        """)
    void partsThatDoNotFitAreNamedInOneLine(
            String part, String setting, String other, String message, @TempDir Path copy) throws IOException {
        copyFolder(SD21, copy);
        Path config = copy.resolve(part).resolve("config.json");
        String text = Files.readString(config);
        assertThat(text).contains(setting);
        Files.writeString(config, text.replace(setting, other));
        assertThatThrownBy(() -> DiffusionModel.load(copy, Placement.cpu(Precision.FP32)))
                .isInstanceOf(BadInputException.class)
                .hasMessage(copy + (message.startsWith(":") ? "" : "/") + message);
    }

    @Test
    void settingsThatNothingIsKnownOfAreSaid(@TempDir Path copy) throws IOException {
        copyFolder(SD21, copy);
        String[] configs = {
            "scheduler/scheduler_config.json", "vae/config.json", "text_encoder/config.json", "unet/config.json"
        };
        for (String config : configs) {
            Path file = copy.resolve(config);
            Files.writeString(file, Files.readString(file).replaceFirst("\\{", "{\"odd\": 1, \"absent\": null,"));
        }
        try (DiffusionModel model = DiffusionModel.load(copy, Placement.cpu(Precision.FP32));
                DiffusionModel plain = DiffusionModel.load(SD21, Placement.cpu(Precision.FP32))) {
            assertThat(model.notes())
                    .containsExactly(Stream.of(configs)
                            .map(config -> copy.resolve(config) + ": nothing is known of odd: passed over")
                            .toArray(String[]::new));
            assertThat(plain.notes()).isEmpty();
        }
    }

    @Tag("golden")
    @Test
    void stableDiffusion1PadsWithTheEndOfText(@TempDir Path copy) throws IOException {
        Path clip = Golden.path("clip-hf-vit");
        Golden golden = Golden.of("text-encoder");
        copyFolder(clip, copy.resolve("tokenizer"));
        Files.createDirectories(copy.resolve("text_encoder"));
        JsonNode config = new ObjectMapper()
                .readTree(clip.resolve("config.json").toFile())
                .path("text_config");
        new ObjectMapper().writeValue(copy.resolve("text_encoder/config.json").toFile(), config);
        try (PointerScope scope = new PointerScope();
                SafetensorsFile file = SafetensorsFile.open(clip.resolve("model.safetensors"))) {
            Map<String, Tensor> text = tensors(file);
            text.keySet().removeIf(name -> !name.startsWith("text_model."));
            text.put("text_model.embeddings.position_ids", Tensors.of(new long[] {0, 1}, 1, 2));
            SafetensorsWriter.write(copy.resolve("text_encoder/model.safetensors"), text, Map.of());
            PromptEncoder prompts = new PromptEncoder(new ModelFolder(copy), Placement.cpu(Precision.FP32));
            for (Map.Entry<String, String> prompt : PROMPTS.entrySet()) {
                assertThat(prompts.ids(prompt.getValue()))
                        .containsExactly(Tensors.toLongs(golden.expected("sd15." + prompt.getKey() + ".input_ids")));
                Close.assertClose(
                        prompts.encode(prompt.getValue()),
                        golden.expected("sd15." + prompt.getKey() + ".last_hidden_state"),
                        0,
                        golden.tolerance());
            }
        }
    }

    private static void copyFolder(Path from, Path to) throws IOException {
        try (Stream<Path> paths = Files.walk(from)) {
            for (Path path : paths.toList()) {
                Path target = to.resolve(from.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(path, target);
                }
            }
        }
    }
}
