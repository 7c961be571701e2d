package dev.diva.clip;

import static dev.diva.testing.Close.assertClose;
import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.clip.Clip.Scale;
import dev.diva.data.ColorMode;
import dev.diva.data.RasterImage;
import dev.diva.engine.Precision;
import dev.diva.engine.Tensors;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Relatives of CLIP against the numbers of the libraries that they are of ({@code interop/families.py}). */
class FamiliesTest {
    @Tag("golden")
    @ParameterizedTest
    @ValueSource(
            strings = {
                "pe-core",
                "pe-core-without-class-token",
                "eva02-clip",
                "eva02-clip-e",
                "eva01-clip",
                "timm-vit-clip",
                "mobileclip-b",
                "coca",
                "coca-base",
                "coca-of-one-width"
            })
    void openClipsFamiliesEqualOpenClip(String name) {
        Golden golden = Golden.of(name);
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Clip clip = Clip.load(Golden.path(name))) {
            Tensor pixels = golden.input("pixel_values");
            List<Tensor> states = clip.visionTower().hiddenStates(pixels);
            for (int i = 1; i < states.size(); i++) {
                // A norm behind a branch enlarges the rounding of small branches; the embedding is held to the
                // tolerance itself.
                assertClose(states.get(i), golden.expected("vision.block." + (i - 1)), 0, 5 * golden.tolerance());
            }
            if (golden.expected().info("vision.tokens_normed") != null) {
                Tensor last = states.get(states.size() - 1);
                Tensor normed = clip.visionTower().normed(last);
                assertClose(normed, golden.expected("vision.tokens_normed"), 0, golden.tolerance());
            }
            assertClose(
                    clip.visionTower().embeddingOf(pixels), golden.expected("image_features"), 0, golden.tolerance());
            VisionTokens tokens = clip.visionTower().tokens(clip.visionTower().encode(pixels));
            assertClose(tokens.pooled(), golden.expected("image_features"), 0, golden.tolerance());
            if (golden.expected().info("image_tokens") != null) {
                assertClose(tokens.patches(), golden.expected("image_tokens"), 0, golden.tolerance());
            }
            assertEmbeddings(clip, golden);
        }
    }

    @Tag("golden")
    @ParameterizedTest
    @ValueSource(
            strings = {
                "clipa",
                "siglip2-gopt",
                "siglip2-so400m-14",
                "siglip2-so400m-16",
                "metaclip2",
                "metaclip2-open_clip",
                "long-clip/longclip.pt"
            })
    void embeddingsEqualTheLibrarys(String path) {
        try (PointerScope scope = new PointerScope();
                Clip clip = Clip.load(Golden.path(path))) {
            assertEmbeddings(clip, Golden.of(path.split("/")[0]));
        }
    }

    @Tag("golden")
    @Test
    void naflexSeesPicturesAtTheirOwnRatioAsTransformersDoes() {
        Golden golden = Golden.of("siglip2-naflex");
        try (PointerScope scope = new PointerScope();
                Clip clip = Clip.load(Golden.path("siglip2-naflex"))) {
            long[] shapes = Tensors.toLongs(golden.expected("spatial_shapes"));
            int side = clip.preprocessing().patches().side();
            List<float[]> pixels = new ArrayList<>();
            for (int i = 0; i < shapes.length / 2; i++) {
                float[] seen = clip.preprocessing().pixels(picture(golden.input("picture." + i)));
                pixels.add(seen);
                assertThat((long) seen[0]).isEqualTo(shapes[2 * i] * side);
                assertThat((long) seen[1]).isEqualTo(shapes[2 * i + 1] * side);
                Tensor patches = Tensors.of(
                                Arrays.copyOfRange(seen, 2, seen.length),
                                3,
                                shapes[2 * i],
                                side,
                                shapes[2 * i + 1],
                                side)
                        .permute(1, 3, 2, 4, 0)
                        .reshape(shapes[2 * i] * shapes[2 * i + 1], -1);
                Tensor right = golden.expected("pixel_values").select(0, i).narrow(0, 0, patches.size(0));
                assertClose(patches, right, 0, 1e-6);
            }
            assertEmbeddings(clip, golden, pixels);
            assertThatThrownBy(() -> clip.encodeTokens(pixels))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("NaFlex");
        }
    }

    /** Pictures one by one, as {@code diva train} sees them: their gradients add up to those of transformers' padded batch. */
    @Tag("golden")
    @Test
    void gradientsOfANaflexEqualTransformers() {
        Golden golden = Golden.of("siglip2-naflex");
        try (PointerScope scope = new PointerScope();
                VisionModel model =
                        VisionModel.load(Golden.path("siglip2-naflex"), Golden.placement(), TrainedPart.full())) {
            long pictures = golden.expected("image_features").size(0);
            for (int i = 0; i < pictures; i++) {
                float[] pixels = model.preprocessing().pixels(picture(golden.input("picture." + i)));
                Tensor seen = PixelBatch.of(model.tower().config(), List.of(pixels));
                model.tower()
                        .embeddingOf(seen)
                        .square()
                        .mean()
                        .div(new Scalar((double) pictures))
                        .backward();
            }
            String embeddings = "embeddings.";
            assertGradient(
                    model, embeddings + "position_embedding.weight", golden.expected("gradient.position_embedding"));
            assertGradient(model, "post_layernorm.weight", golden.expected("gradient.post_layernorm"));
            Tensor patches = golden.expected("gradient.patch_embedding");
            assertGradient(model, embeddings + "patch_embedding.weight", patches);
        }
    }

    private static RasterImage picture(Tensor values) {
        long[] samples = Tensors.toLongs(values.to(ScalarType.Long).flatten());
        byte[] bytes = new byte[samples.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) samples[i];
        }
        return RasterImage.of(ColorMode.RGB, (int) values.size(1), (int) values.size(0), bytes);
    }

    /** What training relies on: gradients through every layer down to the first. */
    @Tag("golden")
    @ParameterizedTest
    @ValueSource(
            strings = {
                "pe-core",
                "pe-core-without-class-token",
                "eva02-clip",
                "eva02-clip-e",
                "eva01-clip",
                "timm-vit-clip",
                "mobileclip-b",
                "coca",
                "coca-base",
                "coca-of-one-width",
                "clipa",
                "metaclip2-open_clip",
                "siglip2-gopt",
                "siglip2-so400m-14",
                "siglip2-so400m-16"
            })
    void gradientsOfTheImageTowerEqualTorchs(String name) {
        Golden golden = Golden.of(name);
        try (PointerScope scope = new PointerScope();
                VisionModel model = VisionModel.load(Golden.path(name), Golden.placement(), TrainedPart.full())) {
            model.tower()
                    .embeddingOf(golden.input("pixel_values"))
                    .square()
                    .mean()
                    .backward();
            String patches = "embeddings.patch_embedding.";
            boolean hasStem = model.tower().config().form().stem() != null;
            assertGradient(
                    model,
                    patches + (hasStem ? "0.conv.weight" : "weight"),
                    golden.expected("gradient.patch_embedding"));
            assertGradient(model, "post_layernorm.weight", golden.expected("gradient.post_layernorm"));
        }
    }

    private static void assertGradient(VisionModel model, String name, Tensor expected) {
        assertCloseToLargest(model.parameters().get("vision_model." + name).grad(), expected, 1e-4, 1e-7);
    }

    private static void assertEmbeddings(Clip clip, Golden golden) {
        assertEmbeddings(clip, golden, rows(golden.input("pixel_values")));
    }

    private static void assertEmbeddings(Clip clip, Golden golden, List<float[]> pixels) {
        List<long[]> ids = new ArrayList<>();
        Tensor inputIds = golden.input("input_ids");
        for (long i = 0; i < inputIds.size(0); i++) {
            ids.add(Tensors.toLongs(inputIds.select(0, i)));
        }
        assertRows(clip.encodeImages(pixels, Scale.RAW), golden.expected("image_features"), golden.tolerance());
        assertRows(clip.encodeIds(ids, Scale.RAW), golden.expected("text_features"), golden.tolerance());
        float[][] images = clip.encodeImages(pixels);
        float[][] texts = clip.encodeIds(ids, Scale.UNIT);
        float[][] logits = new float[images.length][texts.length];
        for (int i = 0; i < images.length; i++) {
            for (int j = 0; j < texts.length; j++) {
                double cosine = 0;
                for (int k = 0; k < images[i].length; k++) {
                    cosine += (double) images[i][k] * texts[j][k];
                }
                logits[i][j] = (float) (cosine * clip.logitScale() + clip.logitBias());
            }
        }
        assertRows(logits, golden.expected("logits_per_image"), golden.tolerance());
    }

    @Tag("golden")
    @ParameterizedTest
    @ValueSource(
            strings = {
                "pe-core",
                "pe-core-without-class-token",
                "eva02-clip",
                "eva02-clip-e",
                "eva01-clip",
                "timm-vit-clip",
                "mobileclip-b",
                "coca",
                "coca-base",
                "coca-of-one-width"
            })
    void openClipIsTheOnlyLayoutOfOtherTowersAndThereAndBackGivesTheSameBytes(String name, @TempDir Path folder)
            throws IOException {
        Path model = Golden.path(name);
        try (ClipCheckpoint checkpoint = ClipCheckpoint.open(model)) {
            ClipExport.export(checkpoint, CheckpointFormat.OPEN_CLIP, folder.resolve("there"), false);
            for (CheckpointFormat other : List.of(CheckpointFormat.HF, CheckpointFormat.OPENAI)) {
                assertThatThrownBy(() -> ClipExport.export(checkpoint, other, folder.resolve("other"), false))
                        .isInstanceOf(BadInputException.class)
                        .hasMessageContaining("choose open_clip");
            }
        }
        for (String file : List.of("open_clip_model.safetensors", "open_clip_config.json")) {
            assertThat(Files.mismatch(
                            model.resolve(file), folder.resolve("there").resolve(file)))
                    .as(file)
                    .isEqualTo(-1);
        }
    }

    @Test
    void theStatisticsOfABatchNormNeverLearn() {
        try (PointerScope scope = new PointerScope();
                VisionModel model =
                        VisionModel.load(Golden.model("mobileclip-b"), Golden.placement(), TrainedPart.full())) {
            String norm = "vision_model.embeddings.patch_embedding.0.bn.";
            assertThat(model.parameters()).containsKeys(norm + "weight", norm + "bias");
            assertThat(model.parameters()).doesNotContainKeys(norm + "running_mean", norm + "running_var");
            assertThat(model.tensors()).containsKeys(norm + "running_mean", norm + "running_var");
        }
    }

    @Test
    void textsOfACocaDoNotDependOnWhatTheyAreComputedWith() {
        Clip.Options two = new Clip.Options(Precision.FP32, 1, 2, null);
        try (Clip clip = Clip.load(Golden.model("coca"), two)) {
            long[] a = {97, 5, 98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
            long[] b = {97, 7, 98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
            long[] longer = {97, 5, 0, 8, 98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
            float[][] rows = clip.encodeIds(List.of(a, longer, b, a, a), Scale.RAW);
            assertClose(rows[3], rows[0], 0, 1e-6);
            assertClose(rows[4], rows[0], 0, 1e-6);
            assertClose(clip.encodeIds(List.of(b), Scale.RAW)[0], rows[2], 0, 1e-6);
            assertThat(rows[1]).isNotEqualTo(rows[0]);
        }
    }

    /** What open_clip has of a MetaCLIP 2 is to transformers a model of that type, pooled at the id whatever it is. */
    @Tag("golden")
    @Test
    void aMetaClip2OfOpenClipBecomesOneOfTransformers(@TempDir Path folder) throws IOException {
        Golden golden = Golden.of("metaclip2");
        Path openClip = folder.resolve("open_clip");
        try (ClipCheckpoint original = ClipCheckpoint.open(Golden.path("metaclip2"))) {
            ClipExport.export(original, CheckpointFormat.OPEN_CLIP, openClip, false);
        }
        try (ClipCheckpoint lacking = ClipCheckpoint.open(openClip)) {
            assertThatThrownBy(() -> ClipExport.export(lacking, CheckpointFormat.HF, folder.resolve("hf"), false))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("choose open_clip");
        }
        Files.copy(Golden.model("siglip-open_clip").resolve("tokenizer.json"), openClip.resolve("tokenizer.json"));
        try (ClipCheckpoint there = ClipCheckpoint.open(openClip)) {
            ClipExport.export(there, CheckpointFormat.HF, folder.resolve("hf"), false);
        }
        ConfigJson tokenizer = ConfigJson.read(folder.resolve("hf/tokenizer_config.json"));
        assertThat(ConfigJson.read(folder.resolve("hf/config.json")).text("model_type", ""))
                .isEqualTo("metaclip_2");
        try (PointerScope scope = new PointerScope();
                Clip clip = Clip.load(folder.resolve("hf"))) {
            assertThat(tokenizer.number("model_max_length", 0))
                    .isEqualTo(clip.config().text().contextLength());
            assertEmbeddings(clip, golden);
        }
    }

    private static void assertRows(float[][] actual, Tensor expected, double tolerance) {
        assertThat((long) actual.length).isEqualTo(expected.size(0));
        for (int i = 0; i < actual.length; i++) {
            assertClose(actual[i], Tensors.toFloats(expected.select(0, i)), 0, tolerance);
        }
    }

    private static List<float[]> rows(Tensor tensor) {
        List<float[]> rows = new ArrayList<>();
        for (long i = 0; i < tensor.size(0); i++) {
            rows.add(Tensors.toFloats(tensor.select(0, i)));
        }
        return rows;
    }
}
