package dev.diva.mllm;

import static dev.diva.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.SafetensorsFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.clip.TowerSource;
import dev.diva.clip.VisionConfig;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The eyes of a LLaVA as GGUF, read by a reader of the format that shares nothing with the writer. */
class MmprojFileTest {
    @TempDir
    private Path temporary;

    /** A file of ggml: values by key, tensors by name with the axes in the order of torch. */
    private record Gguf(Map<String, Object> values, Map<String, Entry> tensors) {
        record Entry(long[] shape, int type, ByteBuffer data) {
            Tensor tensor() {
                return Tensor.create(floats()).reshape(shape);
            }

            private float[] floats() {
                boolean half = type == 1;
                float[] all = new float[data.remaining() / (half ? 2 : 4)];
                for (int i = 0; i < all.length; i++) {
                    all[i] = half ? ofHalf(data.getShort(2 * i)) : data.getFloat(4 * i);
                }
                return all;
            }

            /** IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction. */
            private static float ofHalf(short bits) {
                int exponent = (bits >> 10) & 31;
                int fraction = bits & 1023;
                double size = exponent == 0
                        ? Math.scalb((double) fraction, -24)
                        : Math.scalb(1 + fraction / 1024.0, exponent - 15);
                return (float) (bits < 0 ? -size : size);
            }
        }

        static Gguf read(Path file) throws IOException {
            ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            assertThat(in.getInt()).isEqualTo(0x46554747); // GGUF
            assertThat(in.getInt()).isEqualTo(3);
            long tensorCount = in.getLong();
            long valueCount = in.getLong();
            Map<String, Object> values = new LinkedHashMap<>();
            for (long i = 0; i < valueCount; i++) {
                values.put(string(in), value(in, in.getInt()));
            }
            Map<String, long[]> heads = new LinkedHashMap<>(); // shape, type, offset
            for (long i = 0; i < tensorCount; i++) {
                String name = string(in);
                int axes = in.getInt();
                long[] head = new long[axes + 2];
                for (int axis = axes - 1; axis >= 0; axis--) {
                    head[axis] = in.getLong();
                }
                head[axes] = in.getInt();
                head[axes + 1] = in.getLong();
                heads.put(name, head);
            }
            int start = (in.position() + 31) / 32 * 32;
            Map<String, Entry> tensors = new LinkedHashMap<>();
            heads.forEach((name, head) -> {
                long[] shape = Arrays.copyOf(head, head.length - 2);
                int type = (int) head[head.length - 2];
                long offset = head[head.length - 1];
                assertThat(offset % 32).isZero();
                long count = LongStream.of(shape).reduce(1, (a, b) -> a * b);
                ByteBuffer data = in.slice((int) (start + offset), (int) (count * (type == 1 ? 2 : 4)))
                        .order(ByteOrder.LITTLE_ENDIAN);
                tensors.put(name, new Entry(shape, type, data));
            });
            return new Gguf(values, tensors);
        }

        private static String string(ByteBuffer in) {
            byte[] bytes = new byte[(int) in.getLong()];
            in.get(bytes);
            return new String(bytes, StandardCharsets.UTF_8);
        }

        private static Object value(ByteBuffer in, int type) {
            return switch (type) {
                case 4, 5 -> in.getInt();
                case 6 -> in.getFloat();
                case 7 -> in.get() == 1;
                case 8 -> string(in);
                case 9 -> {
                    int item = in.getInt();
                    long count = in.getLong();
                    List<Object> items = new ArrayList<>();
                    for (long i = 0; i < count; i++) {
                        items.add(value(in, item));
                    }
                    yield items;
                }
                default -> throw new IllegalStateException("type " + type);
            };
        }
    }

    /** Every tensor that is looked at is there with its bits (fp32) or rounded (fp16), and llama.cpp is told the shape and the layer. */
    @Tag("golden")
    @ParameterizedTest
    @CsvSource({
        "llava-hf, mha, fp32",
        "llava-hf, gqa, fp16",
        "llava-original, released, fp32",
        "llava-original, released, fp16"
    })
    void holdsWhatIsLookedAt(String golden, String model, String dtype) throws IOException {
        Path folder = Golden.of(golden).file(model);
        Dtype type = dtype.equals("fp32") ? Dtype.F32 : Dtype.F16;
        Path out = temporary.resolve("mmproj.gguf");
        MmprojFile.write(folder, null, null, type, out, false);
        Gguf file = Gguf.read(out);
        try (PointerScope scope = new PointerScope();
                LlavaFolder llava = LlavaFolder.open(folder, null);
                TowerSource tower = new Towers(llava).open(null)) {
            VisionConfig vision = tower.config();
            int all = vision.transformer().numHiddenLayers();
            int layers = (int) (all + 1 + llava.config().selectLayer());
            assertThat(file.values())
                    .containsEntry("general.architecture", "clip")
                    .containsEntry("clip.has_vision_encoder", true)
                    .containsEntry("clip.projector_type", "mlp")
                    .containsEntry("clip.vision.block_count", layers)
                    .containsEntry("clip.vision.feature_layer", List.of(layers))
                    .containsEntry("clip.vision.image_size", (int) vision.imageSize())
                    .containsEntry("clip.vision.embedding_length", (int)
                            vision.transformer().hiddenSize())
                    .containsEntry("clip.vision.attention.head_count", (int)
                            vision.transformer().numAttentionHeads());
            assertThat(file.tensors()).hasSize(5 + 16 * layers + 4);
            requireSame(
                    file,
                    "v.patch_embd.weight",
                    tower.tensors(),
                    "vision_model.embeddings.patch_embedding.weight",
                    type);
            requireSame(file, "v.class_embd", tower.tensors(), "vision_model.embeddings.class_embedding", type);
            requireSame(
                    file,
                    "v.position_embd.weight",
                    tower.tensors(),
                    "vision_model.embeddings.position_embedding.weight",
                    type);
            requireSame(file, "v.pre_ln.bias", tower.tensors(), "vision_model.pre_layrnorm.bias", type);
            for (int i = 0; i < layers; i++) {
                String layer = "vision_model.encoder.layers." + i + ".";
                for (String kind : List.of("weight", "bias")) {
                    String block = "v.blk." + i + ".";
                    requireSame(
                            file, block + "attn_q." + kind, tower.tensors(), layer + "self_attn.q_proj." + kind, type);
                    requireSame(
                            file,
                            block + "attn_out." + kind,
                            tower.tensors(),
                            layer + "self_attn.out_proj." + kind,
                            type);
                    requireSame(file, block + "ln2." + kind, tower.tensors(), layer + "layer_norm2." + kind, type);
                    requireSame(file, block + "ffn_down." + kind, tower.tensors(), layer + "mlp.fc1." + kind, type);
                    requireSame(file, block + "ffn_up." + kind, tower.tensors(), layer + "mlp.fc2." + kind, type);
                }
            }
            for (String part : List.of("0.weight", "0.bias", "2.weight", "2.bias")) {
                requireSame(file, "mm." + part, llava.withoutTower(), LlavaNames.PROJECTOR + part, type);
            }
        }
    }

    private static void requireSame(Gguf file, String name, TensorSource stored, String ours, Dtype dtype) {
        Gguf.Entry entry = file.tensors().get(name);
        assertThat(entry).as(name).isNotNull();
        Tensor expected = stored.read(ours).to(ScalarType.Float);
        boolean isMatrix = expected.dim() > 1;
        assertThat(entry.type()).as(name).isEqualTo(isMatrix && dtype == Dtype.F16 ? 1 : 0);
        Tensor rounded = isMatrix ? expected.to(dtype.scalarType()).to(ScalarType.Float) : expected;
        assertClose(entry.tensor(), rounded, 0, 0);
    }

    @Test
    void aRepairedTowerTakesThePlaceOfItsOwn() throws IOException {
        Golden golden = Golden.resource("llava-original");
        Path out = temporary.resolve("mmproj.gguf");
        Path clip = golden.file("clip");
        assertThat(MmprojFile.write(golden.file("self-trained"), clip.toString(), null, Dtype.F32, out, false))
                .anyMatch(note -> note.contains("llama.cpp"));
        Gguf file = Gguf.read(out);
        try (PointerScope scope = new PointerScope();
                TowerSource tower = TowerSource.open(clip)) {
            requireSame(file, "v.class_embd", tower.tensors(), "vision_model.embeddings.class_embedding", Dtype.F32);
        }
    }

    @Test
    void nothingElseIsReplaced() throws IOException {
        Path llava = Golden.model("llava-hf").resolve("mha");
        Path out = Files.writeString(temporary.resolve("notes.gguf"), "GGML");
        for (boolean overwrite : new boolean[] {false, true}) {
            assertThatThrownBy(() -> MmprojFile.write(llava, null, null, Dtype.F16, out, overwrite))
                    .isInstanceOf(BadInputException.class);
            assertThat(out).hasContent("GGML");
        }
        Files.delete(out);
        MmprojFile.write(llava, null, null, Dtype.F16, out, false);
        MmprojFile.write(llava, null, null, Dtype.F32, out, true);
        assertThat(Gguf.read(out).values()).containsEntry("general.file_type", 0);
    }

    @Test
    void aValueBeyondFp16IsRefused() throws IOException {
        Path llava = temporary.resolve("llava");
        Path from = Golden.model("llava-hf").resolve("mha");
        Files.createDirectories(llava);
        for (String name : from.toFile().list()) {
            Files.copy(from.resolve(name), llava.resolve(name));
        }
        Path weights = llava.resolve("model.safetensors");
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (PointerScope scope = new PointerScope();
                SafetensorsFile stored = SafetensorsFile.open(weights)) {
            for (TensorInfo info : stored.tensors()) {
                Tensor values = stored.read(info.name()).to(ScalarType.Float).clone();
                tensors.put(
                        info.name(), info.name().contains("linear_1.weight") ? values.fill_(new Scalar(7e4)) : values);
            }
            SafetensorsWriter.write(llava.resolve("big.safetensors"), tensors, Map.of("format", "pt"));
        }
        Files.move(llava.resolve("big.safetensors"), weights, StandardCopyOption.REPLACE_EXISTING);
        Path out = temporary.resolve("out.gguf");
        assertThatThrownBy(() -> MmprojFile.write(llava, null, null, Dtype.F16, out, false))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("too large for fp16");
        assertThat(out).doesNotExist();
        MmprojFile.write(llava, null, null, Dtype.F32, out, false);
    }
}
