package dev.diva.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.TextFile;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.checkpoint.pickle.StateDictWriter;
import dev.diva.data.Box;
import dev.diva.data.ColorMode;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageSet;
import dev.diva.data.RasterImage;
import dev.diva.engine.Tensors;
import dev.diva.model.Activation;
import dev.diva.model.ClipTokenizer;
import dev.diva.model.FileTokenizer;
import dev.diva.model.Tokenizer;
import dev.diva.model.TransformerConfig;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files as people and other libraries ship them: what is not understood is read, refused or said. */
class ShippedFilesTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path temporary;

    @ParameterizedTest
    @ValueSource(strings = {"_orig_mod.", "module._orig_mod.", "state_dict.model.module.", "net.encoder."})
    void wrappersOfNamesAreTakenOff(String prefix) throws IOException {
        Path folder = copy("clip-hf-vit");
        float[] right = image(folder);
        rename(folder.resolve("model.safetensors"), prefix);
        assertThat(image(folder)).containsExactly(right); // the same computation
    }

    /** As FSDP, activation checkpoints and torch.compile name layers that they wrap. */
    @ParameterizedTest
    @ValueSource(strings = {"_fsdp_wrapped_module.", "_fsdp_wrapped_module._checkpoint_wrapped_module.", "_orig_mod."})
    void wrappersOfLayersAreTakenOff(String wrapper) throws IOException {
        Path folder = copy("clip-hf-vit");
        float[] right = image(folder);
        rename(folder.resolve("model.safetensors"), name -> name.replaceAll("(layers\\.\\d+\\.)", "$1" + wrapper));
        assertThat(image(folder)).containsExactly(right);
    }

    @Test
    void tensorThatIsThereWithAndWithoutItsWrapperIsRefused() throws IOException {
        Path folder = copy("clip-hf-vit");
        rename(
                folder.resolve("model.safetensors"),
                UnaryOperator.identity(),
                "_orig_mod.vision_model.embeddings.class_embedding");
        assertThatThrownBy(() -> image(folder))
                .hasMessageContaining("two tensors become vision_model.embeddings.class_embedding");
    }

    /** transformers' CLIPConfig: what stands in vision_config_dict is all that counts. */
    @Test
    void settingsThatWereWrittenTwiceAreThoseOfTheDict() throws IOException {
        Path folder = copy("clip-hf-vit-gelu");
        float[] right = image(folder);
        edit(folder, "config.json", config -> {
            config.set("vision_config_dict", config.path("vision_config").deepCopy());
            ((ObjectNode) config.path("vision_config"))
                    .put("hidden_act", "quick_gelu")
                    .put("num_attention_heads", 1);
        });
        assertThat(image(folder)).containsExactly(right);
    }

    @Test
    void settingsOfTheImageProcessorAreFollowed() throws IOException {
        Path folder = copy("clip-hf-vit");
        Preprocessing usual = preprocessing(folder);
        edit(folder, "preprocessor_config.json", config -> config.put("do_normalize", false));
        Preprocessing bare = preprocessing(folder);
        assertThat(bare.mean()).containsOnly(0f);
        assertThat(bare.std()).containsOnly(1f);
        edit(
                folder,
                "preprocessor_config.json",
                config -> config.put("do_normalize", true).put("rescale_factor", 2.0 / 255));
        // (2 v - mean) / std = (v - mean / 2) / (std / 2)
        assertThat(preprocessing(folder).std()[1]).isEqualTo(usual.std()[1] / 2);
        edit(folder, "preprocessor_config.json", config -> config.put("do_resize", false));
        assertThatThrownBy(() -> preprocessing(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("do_resize");
    }

    @Test
    void processorConfigOfTransformers5WinsAndIsKept() throws IOException {
        Path folder = copy("clip-hf-vit");
        ObjectNode inner = (ObjectNode)
                JSON.readTree(folder.resolve("preprocessor_config.json").toFile());
        ObjectNode whole = JSON.createObjectNode();
        whole.set("image_processor", inner.put("resample", 1));
        Files.writeString(folder.resolve("processor_config.json"), whole.toString());
        assertThat(preprocessing(folder).interpolation()).isEqualTo(Preprocessing.Interpolation.LANCZOS);
        Path out = temporary.resolve("out");
        try (ClipCheckpoint checkpoint = ClipCheckpoint.open(folder)) {
            ClipExport.export(checkpoint, checkpoint.format(), out, false);
        }
        assertThat(out.resolve("processor_config.json")).exists();
    }

    @Test
    void aLargerShortestEdgeIsCropped() throws IOException {
        Path folder = copy("clip-hf-vit");
        int size = preprocessing(folder).imageSize();
        edit(
                folder,
                "preprocessor_config.json",
                config -> config.putObject("size").put("shortest_edge", 2 * size));
        byte[] samples = new byte[4 * size * 2 * size * 3];
        new Random(1).nextBytes(samples);
        RasterImage image =
                RasterImage.of(ColorMode.RGB, 4 * size, 2 * size, samples); // its shorter side needs no resize
        Preprocessing crops = preprocessing(folder);
        Preprocessing whole =
                new Preprocessing(size, size, crops.resize(), crops.interpolation(), true, crops.mean(), crops.std());
        RasterImage centre = image.crop(new Box(size / 2, size + size / 2, size, size));
        assertThat(crops.pixels(image)).containsExactly(whole.pixels(centre));
    }

    /** Ids of transformers 4.46.3 with Gemma's tokenizer: punctuation kept, end 1, padding 0. */
    @Test
    void siglip2KeepsPunctuationAndPadsWithItsOwnToken() throws Exception {
        Path folder = Path.of(ShippedFilesTest.class.getResource("/siglip2").toURI());
        try (Tokenizer tokenizer = FileTokenizer.open(folder, 16, 93)) {
            assertThat(tokenizer.encode("a dog, left!"))
                    .containsExactly(5, 4, 8, 19, 11, 32, 4, 16, 9, 10, 24, 33, 1, 0, 0, 0);
            assertThat(tokenizer.encode("A cat")).containsExactly(5, 4, 7, 5, 24, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        }
    }

    /** What transformers 5.24.0 saves names no ends of a text beside tokenizer.json, whose own it then takes. */
    @Test
    void endsOfATokenizerSavedByTransformers5AreThoseOfItsDescription(@TempDir Path folder) throws Exception {
        Path original = Path.of(ShippedFilesTest.class.getResource("/siglip2").toURI());
        Files.copy(original.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
        String gemma = "\"tokenizer_class\": \"GemmaTokenizer\", \"bos_token\": \"<bos>\", \"eos_token\": \"<eos>\","
                + " \"pad_token\": \"<pad>\"";
        Path config = folder.resolve("tokenizer_config.json");
        String right = ", \"padding_side\": \"right\"";
        Files.writeString(config, "{\"backend\": \"tokenizers\", " + gemma + right + "}");
        try (Tokenizer tokenizer = FileTokenizer.open(folder, 8, 93)) {
            assertThat(tokenizer.encode("a cat")).containsExactly(5, 4, 7, 5, 24, 1, 0, 0);
        }
        Files.writeString(config, "{" + gemma + right + "}");
        try (Tokenizer tokenizer = FileTokenizer.open(folder, 8, 93)) { // by transformers 4, whose class begins texts
            assertThat(tokenizer.encode("a cat")).containsExactly(2, 5, 4, 7, 5, 24, 0, 0);
        }
        Files.writeString(config, "{\"backend\": \"tokenizers\", " + gemma + "}");
        try (Tokenizer tokenizer = FileTokenizer.open(folder, 8, 93)) { // that class pads before a text
            assertThat(tokenizer.encode("a cat")).containsExactly(0, 0, 5, 4, 7, 5, 24, 1);
        }
    }

    /** transformers 5.24.0 takes Siglip2Tokenizer for every NaFlex, also where its files name Gemma's. */
    @Test
    void textsOfANaflexBecomeLowerCase(@TempDir Path folder) throws Exception {
        Path original = Path.of(ShippedFilesTest.class.getResource("/siglip2").toURI());
        for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
            Files.copy(original.resolve(name), folder.resolve(name));
        }
        edit(
                folder,
                "tokenizer.json",
                json -> json.withArray("/normalizer/normalizers").remove(0));
        try (Tokenizer kept = FileTokenizer.open(folder, 8, 93);
                Tokenizer lowered = FileTokenizer.openLowering(folder, 8, 93)) {
            assertThat(kept.encode("A cat")).isNotEqualTo(kept.encode("a cat"));
            assertThat(lowered.encode("A cat")).containsExactly(5, 4, 7, 5, 24, 1, 0, 0);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void addedTokensAreTokens(boolean fast) throws IOException {
        Path folder = copy("clip-hf-vit-gelu");
        int size;
        try (ClipTokenizer tokenizer = ClipTokenizer.open(folder, ClipTokenizer.Flavour.TRANSFORMERS)) {
            size = tokenizer.vocabSize();
        }
        Files.writeString(folder.resolve("added_tokens.json"), "{\"<cat-toy>\": " + size + "}");
        ClipTokenizer.Flavour flavour =
                fast ? ClipTokenizer.Flavour.TRANSFORMERS : ClipTokenizer.Flavour.TRANSFORMERS_SLOW;
        try (ClipTokenizer tokenizer = ClipTokenizer.open(folder, flavour)) {
            long[] ids = tokenizer.encode("a <cat-toy> a");
            long[] plain = tokenizer.encode("a a");
            assertThat(Arrays.copyOf(ids, 5)).containsExactly(plain[0], plain[1], size, plain[2], plain[3]);
        }
        Files.writeString(folder.resolve("added_tokens.json"), "{\"<cat-toy>\": " + (size + 7) + "}");
        assertThatThrownBy(() -> ClipTokenizer.open(folder, flavour))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("<cat-toy>");
    }

    @Test
    void whatNoFileTellsIsSaid() throws IOException {
        Path folder = copy("open_clip-vit-quickgelu");
        assertThat(ClipSummary.of(folder, null).notes()).isEmpty();
        Files.delete(folder.resolve("open_clip_config.json"));
        assertThat(ClipSummary.of(folder, null).notes())
                .singleElement()
                .asString()
                .contains("QuickGELU", "open_clip_config.json");
    }

    @Test
    void unknownKeysAreSaidAndOthersCodeIsRefused() throws IOException {
        Path folder = copy("clip-hf-vit");
        edit(folder, "config.json", config -> ((ObjectNode) config.path("vision_config")).put("num_channels", 3));
        assertThat(ClipSummary.of(folder, null).notes()).isEmpty();
        edit(folder, "config.json", config -> ((ObjectNode) config.path("vision_config")).put("q_bias", false));
        assertThat(ClipSummary.of(folder, null).notes())
                .singleElement()
                .asString()
                .contains("vision_config.q_bias");
        edit(folder, "config.json", config -> config.putObject("auto_map").put("AutoModel", "other.py"));
        assertThatThrownBy(() -> ClipSummary.of(folder, null)).hasMessageContaining("auto_map");
    }

    @ParameterizedTest
    @CsvSource({"qk_norm, true", "no_ln_pre, true", "scale_attn_inner, true", "ls_init_value, 1", "of_tomorrow, 1"})
    void optionsThatContradictTheWeightsAreRefused(String key, String value) throws IOException {
        Path folder = copy("open_clip-vit-gelu");
        edit(
                folder,
                "open_clip_config.json",
                config -> ((ObjectNode) config.path("model_cfg").path("vision_cfg"))
                        .set(
                                key,
                                value.equals("true")
                                        ? JSON.getNodeFactory().booleanNode(true)
                                        : JSON.getNodeFactory().numberNode(1)));
        assertThatThrownBy(() -> ClipSummary.of(folder, null))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(key);
    }

    /** Which of the two is read is told, because the scores that are published are often those of the average. */
    @Test
    void aMovingAverageBesideTheWeightsIsTold() throws IOException {
        Path folder = copy("open_clip-vit-gelu");
        Path stored = folder.resolve("open_clip_model.safetensors");
        Path both = folder.resolve("both.pt");
        try (PointerScope scope = new PointerScope();
                SafetensorsFile weights = SafetensorsFile.open(stored)) {
            Map<String, Tensor> tensors = new TreeMap<>();
            for (TensorInfo info : weights.tensors()) {
                tensors.put("state_dict.module." + info.name(), weights.read(info.name()));
                tensors.put(
                        "state_dict_ema.module." + info.name(),
                        weights.read(info.name()).mul(new Scalar(2)));
            }
            StateDictWriter.write(both, tensors);
        }
        assertThat(ClipSummary.of(both, null).notes())
                .hasSize(1)
                .first()
                .asString()
                .contains("another CLIP under state_dict_ema.module.", "not read");
        try (Clip one = Clip.load(both);
                Clip other = Clip.load(stored)) {
            assertThat(one.notes()).hasSize(1);
            assertThat(other.notes()).isEmpty();
            int side = one.preprocessing().imageSize();
            List<float[]> pixels = List.of(new float[3 * side * side]);
            assertThat(one.encodeImages(pixels)).isDeepEqualTo(other.encodeImages(pixels));
        }
    }

    /** timm 1.0's vision_transformer.py. */
    @ParameterizedTest
    @CsvSource({
        "vit_base_patch16_siglip_512, GELU",
        "vit_base_patch32_siglip_256, GELU_TANH",
        "vit_large_patch16_siglip_384, GELU",
        "vit_large_patch16_siglip_512, GELU_TANH",
        "vit_so400m_patch14_siglip_384, GELU",
        "vit_so400m_patch16_siglip_256, GELU_TANH",
        "vit_giantopt_patch16_siglip_384, GELU_TANH"
    })
    void timmsTowersHaveTheirOwnActivation(String name, Activation activation) {
        ConfigJson vision = new ConfigJson(JSON.createObjectNode(), "vision_cfg");
        assertThat(new TimmTrunk(name).activation(vision)).isEqualTo(activation);
    }

    /** Names of timm 1.0.31: of a size that it does not know that of the nearest, rather of the tower's own activation. */
    @ParameterizedTest
    @CsvSource({
        "768, 12, 12, 16, 224, GELU, vit_base_patch16_siglip_224, ''",
        "768, 12, 12, 16, 320, GELU, vit_base_patch16_siglip_256, img_size=320",
        "768, 12, 12, 32, 224, GELU_TANH, vit_base_patch32_siglip_256, img_size=224",
        "1024, 24, 16, 16, 288, GELU_TANH, vit_large_patch16_siglip_512, img_size=288",
        "1152, 27, 16, 14, 448, GELU, vit_so400m_patch14_siglip_384, img_size=448",
        "1152, 27, 16, 14, 384, GELU_TANH, vit_so400m_patch14_siglip_384, the other form of the GELU",
        "1536, 40, 16, 14, 224, GELU_TANH, vit_giantopt_patch14_siglip_224, diva alone reads",
        "32, 2, 2, 8, 32, GELU, vit_custom_patch8_siglip_32, diva alone reads"
    })
    void aSiglipGetsANameThatTimmKnows(
            long width,
            int layers,
            long heads,
            long patch,
            long side,
            Activation activation,
            String name,
            String note) {
        TransformerConfig shape = new TransformerConfig(width, 4 * width, layers, heads, activation, 1e-6);
        VisionConfig vision = new VisionConfig(shape, side, patch, VisionConfig.Pooling.MAP, width);
        ObjectNode node = JSON.createObjectNode();
        TimmTrunk.describe(node, vision);
        assertThat(node.path("timm_model_name").asText()).isEqualTo(name);
        assertThat(String.join(", ", TimmTrunk.notes(vision))).contains(note);
        assertThat(TimmTrunk.notes(vision)).hasSize(note.isEmpty() ? 0 : 1);
    }

    @Test
    void giantHasSixteenHeads() {
        ConfigJson none = new ConfigJson(JSON.createObjectNode(), "vision_cfg");
        assertThat(new TimmTrunk("vit_giantopt_patch16_siglip_384").heads(none, none, 1536))
                .isEqualTo(16);
    }

    @ParameterizedTest
    @CsvSource({
        "'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1710540580\n', git lfs pull",
        "'<!DOCTYPE html>\n<html>', web page"
    })
    void whatStandsInAFilesPlaceIsNamed(String content, String words) throws IOException {
        Path folder = copy("clip-hf-vit");
        for (String name : List.of("model.safetensors", "config.json", "vocab.json", "merges.txt")) {
            byte[] before = Files.readAllBytes(folder.resolve(name));
            Files.writeString(folder.resolve(name), content);
            assertThatThrownBy(() -> {
                        try (Clip clip = Clip.load(folder)) {
                            clip.encodeTexts(List.of("a"));
                        }
                    })
                    .as(name)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(name)
                    .hasMessageContaining(words);
            Files.write(folder.resolve(name), before);
        }
    }

    /** Names of open_clip 3.3 with timm 1.0.31, and of what authors publish; with an anchor of a family that is read where they have one. */
    @ParameterizedTest
    @CsvSource({
        "visual.conv1.weight;visual.layer1.0.conv1.weight, ResNet",
        "visual.conv1.weight;visual.attn_pool_contrastive.query, CoCa",
        "visual.trunk.stages.0.blocks.0.conv_dw.weight, ConvNeXt",
        "module.visual.trunk.patch_embed.backbone.stages.0.blocks.0.conv1_1x1.weight, ViTamin",
        "visual.trunk.patch_embed.backbone.conv1.weight, hybrid",
        "visual.trunk.stages.0.blocks.0.token_mixer.reparam_conv.weight, FastViT",
        "image_encoder.model.patch_embed.0.rbr_scale.conv.weight, Apple",
        "visual.trunk.patch_embed.proj.weight;visual.trunk.layers.0.blocks.0.attn.relative_position_bias_table, Swin",
        "visual.conv1.weight;text.transformer.encoder.layer.0.output.dense.weight, hf_model_name",
        "visual.patch_embed.proj.weight;visual.blocks.0.mlp.w1.weight, EVA-CLIP",
        "visual.conv1.weight;visual.attn_pool.probe, PE-Core",
        "vision_model.timm_model.cls_token;vision_model.timm_model.attn_pool.latent, PE-Core"
    })
    void otherFamiliesAreCalledByTheirNames(String names, String family) {
        assertRefused(names.split(";"), family);
    }

    @ParameterizedTest
    @CsvSource({"altclip, AltCLIP", "chinese_clip, Chinese-CLIP", "flava, FLAVA", "groupvit, GroupViT", "align, ALIGN"})
    void otherModelTypesOfTransformersAreCalledByTheirNames(String type, String family) throws IOException {
        Files.writeString(temporary.resolve("config.json"), "{\"model_type\": \"" + type + "\"}");
        assertRefused(new String[] {"vision_model.embeddings.patch_embedding.weight"}, family);
    }

    private void assertRefused(String[] names, String family) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        Path file = temporary.resolve("model.safetensors");
        try (PointerScope scope = new PointerScope()) {
            for (String name : names) {
                tensors.put(name, Tensors.of(new float[] {0}, 1, 1, 1, 1));
            }
            SafetensorsWriter.write(file, tensors, Map.of());
        }
        assertThatThrownBy(() -> ClipCheckpoint.open(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(family)
                .hasMessageContaining("is not computed here")
                .hasMessageNotContaining("open_clip_config.json");
    }

    @Test
    void partsOfAnotherModelAreNotPassedOver() throws IOException {
        Path file = copy("clip-hf-vit").resolve("model.safetensors");
        rename(file, "", "text_decoder.weight");
        assertThatThrownBy(() -> ClipCheckpoint.open(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("text_decoder.weight");
    }

    /** MetaCLIP 2 goes through another tokenizer than CLIP's, which transformers' layout has no place for. */
    @Test
    void aForeignTokenizerIsExportedToOpenClipAlone() throws IOException {
        Path folder = copy("open_clip-vit-gelu");
        edit(
                folder,
                "open_clip_config.json",
                config -> ((ObjectNode) config.path("model_cfg").path("text_cfg"))
                        .put("hf_tokenizer_name", "facebook/xlm-v-base"));
        try (ClipCheckpoint checkpoint = ClipCheckpoint.open(folder)) {
            assertThatThrownBy(
                            () -> ClipExport.export(checkpoint, CheckpointFormat.HF, temporary.resolve("out"), false))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("hf_tokenizer_name")
                    .hasMessageContaining("choose open_clip");
        }
        assertThat(temporary.resolve("out")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({
        "'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1710540580\n', git lfs pull",
        "'<!DOCTYPE html>\n<html>', web page"
    })
    void textsPicturesAndTarsInWhosePlaceItStandsAreNamedToo(String content, String words) throws IOException {
        Path names = Files.writeString(temporary.resolve("classnames.txt"), content);
        assertThatThrownBy(() -> TextFile.read(names)).hasMessageContaining(words);
        assertThatThrownBy(() -> ImageDecoder.reference().decode(content.getBytes(StandardCharsets.UTF_8), "a.jpg"))
                .hasMessageContaining("a.jpg: is a")
                .hasMessageContaining(words);
        for (String name : List.of("shard.tar", "shard.tar.gz")) {
            Path tar = Files.writeString(temporary.resolve(name), content);
            assertThatThrownBy(() -> ImageSet.open(List.of(tar.toString()), problem -> {}))
                    .as(name)
                    .hasMessageContaining(words);
        }
    }

    private static float[] image(Path folder) {
        try (Clip clip = Clip.load(folder)) {
            int size = clip.preprocessing().imageSize();
            float[] pixels = new float[3 * size * size];
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (float) Math.sin(i);
            }
            return clip.encodeImages(List.of(pixels), Clip.Scale.RAW)[0];
        }
    }

    private static Preprocessing preprocessing(Path folder) {
        try (ClipCheckpoint checkpoint = ClipCheckpoint.open(folder)) {
            ClipFiles files = new ClipFiles(checkpoint);
            return files.preprocessing(files.config().vision());
        }
    }

    private static void rename(Path file, String prefix, String... more) throws IOException {
        rename(file, name -> prefix + name, more);
    }

    private static void rename(Path file, UnaryOperator<String> names, String... more) throws IOException {
        Path renamed = file.resolveSibling("renamed.safetensors");
        try (PointerScope scope = new PointerScope();
                SafetensorsFile source = SafetensorsFile.open(file)) {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            for (TensorInfo info : source.tensors()) {
                tensors.put(names.apply(info.name()), source.read(info.name()));
            }
            for (String name : more) {
                tensors.put(name, Tensors.of(new float[] {0}, 1));
            }
            SafetensorsWriter.write(renamed, tensors, Map.of("format", "pt"));
        }
        Files.move(renamed, file, StandardCopyOption.REPLACE_EXISTING);
    }

    private Path copy(String name) throws IOException {
        Path folder = Files.createDirectory(temporary.resolve(name));
        try (Stream<Path> files = Files.list(Golden.model(name))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.write(folder.resolve(file.getFileName().toString()), Files.readAllBytes(file));
            }
        }
        return folder;
    }

    private static void edit(Path folder, String file, Consumer<ObjectNode> change) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(folder.resolve(file).toFile());
        change.accept(json);
        Files.writeString(folder.resolve(file), json.toString());
    }
}
