package dev.diva.testing;

import dev.diva.BadInputException;
import dev.diva.KeyFile;
import dev.diva.checkpoint.SafetensorsWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.clip.ConfigFuzz;
import dev.diva.data.DataFile;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageDecoder.Orientation;
import dev.diva.data.ImageEntry;
import dev.diva.data.ImageSet;
import dev.diva.data.TarSample;
import dev.diva.engine.Tensors;
import dev.diva.eval.MmvpReader;
import dev.diva.posttrain.recipe.RecipeTree;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;

/** Every parser of files that come from elsewhere, with sound files for each. */
public final class FuzzTargets {
    /** Small, so that an image bomb shows as one. */
    private static final ImageDecoder DECODER = new ImageDecoder(1 << 20, Orientation.APPLIED);

    private FuzzTargets() {}

    /** All of them; seeds are made in or copied from the golden cases. */
    public static List<Fuzz.Target> all(Path scratch) throws IOException {
        return List.of(
                new Fuzz.Target(
                        "safetensors", (input, folder) -> tensors(input, folder, ".safetensors"), safetensors(scratch)),
                new Fuzz.Target("index", FuzzTargets::index, texts(INDEX)),
                new Fuzz.Target("pickle", (input, folder) -> tensors(input, folder, ".pt"), pickles()),
                new Fuzz.Target("tar", FuzzTargets::tar, tars()),
                new Fuzz.Target("json", FuzzTargets::json, golden("clip-hf-vit/config.json", "siglip-hf/config.json")),
                new Fuzz.Target("yaml", FuzzTargets::yaml, presets()),
                new Fuzz.Target("csv", FuzzTargets::csv, golden("mmvp-vlm/MMVP_VLM/Questions.csv")),
                new Fuzz.Target("image", (input, folder) -> DECODER.decode(input, "input"), images()));
    }

    private static final String INDEX =
            "{\"metadata\": {\"total_size\": 24}, \"weight_map\": {\"a\": \"input-1.safetensors\"}}";

    private static void tensors(byte[] input, Path folder, String suffix) throws IOException {
        read(replace(folder.resolve("input" + suffix), input));
    }

    private static void read(Path file) {
        try (PointerScope scope = new PointerScope();
                TensorSource source = TensorFile.open(file)) {
            for (TensorInfo info : source.tensors()) {
                source.read(info.name());
            }
        }
    }

    private static void index(byte[] input, Path folder) throws IOException {
        Path shard = folder.resolve("input-1.safetensors");
        if (!Files.exists(shard)) {
            try (PointerScope scope = new PointerScope()) {
                SafetensorsWriter.write(shard, Map.of("a", Tensors.of(new float[6], 2, 3)), Map.of());
            }
        }
        read(replace(folder.resolve("input.safetensors.index.json"), input));
    }

    private static void tar(byte[] input, Path folder) throws IOException {
        Path file = replace(folder.resolve("input.tar"), input);
        TarSample.read(DataFile.of(file), problem -> {});
        for (ImageEntry entry :
                ImageSet.open(List.of(file.toString()), problem -> {}).entries()) {
            entry.read();
        }
    }

    private static void json(byte[] input, Path folder) throws IOException {
        ConfigFuzz.transformers(replace(folder.resolve("input.json"), input));
    }

    private static void yaml(byte[] input, Path folder) throws IOException {
        Path file = replace(folder.resolve("input.yaml"), input);
        RecipeTree.preset("corrected").with(KeyFile.read(file), "input").recipe();
    }

    private static List<byte[]> presets() {
        return texts(
                RecipeTree.preset("corrected").toYaml(),
                RecipeTree.preset("published").toYaml(),
                "images: [a/*.tar, b]\ntrain: {steps: 4600, lr: 1.0e-4}\ncrop: {scale: [0.9, 1.0]}\n");
    }

    /** Images of the pairs are absent, so a table that reads well ends in a refusal too: that one counts as read. */
    private static void csv(byte[] input, Path folder) throws IOException {
        Path set = Files.createDirectories(folder.resolve("input-mmvp"));
        Files.createDirectories(set.resolve("MLLM_VLM_Images"));
        replace(set.resolve("Questions.csv"), input);
        try {
            MmvpReader.read(set, MmvpReader.Missing.LEAVE_OUT);
        } catch (BadInputException e) {
            if (!e.getMessage().contains("pairs has both images")) {
                throw e;
            }
        }
    }

    /** A new file each time: an earlier one may still be mapped. */
    private static Path replace(Path file, byte[] content) throws IOException {
        Files.deleteIfExists(file);
        return Files.write(file, content);
    }

    private static List<byte[]> safetensors(Path scratch) throws IOException {
        Path file = scratch.resolve("sound.safetensors");
        try (PointerScope scope = new PointerScope()) {
            SafetensorsWriter.write(
                    file,
                    Map.of(
                            "a.weight", Tensors.of(new float[6], 2, 3),
                            "b", Tensors.of(new long[] {1, 2}, 2),
                            "empty", torch.zeros(0, 3)),
                    Map.of("format", "pt"));
            byte[] bytes = Files.readAllBytes(file);
            Files.delete(file);
            return List.of(bytes);
        }
    }

    private static List<byte[]> pickles() {
        return golden(
                "clip-openai-jit/ViT-state-dict.pt",
                "open_clip-vit-gelu/epoch_1.pt",
                "open_clip-vit-gelu/open_clip_pytorch_model.bin");
    }

    private static List<byte[]> tars() throws IOException {
        List<byte[]> tars = new ArrayList<>();
        for (int mode : new int[] {TarArchiveOutputStream.LONGFILE_GNU, TarArchiveOutputStream.LONGFILE_POSIX}) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, 512)) {
                tar.setLongFileMode(mode);
                add(tar, "0001.jpg");
                add(tar, "0001.txt");
                add(tar, "a/very/long/name/" + "x".repeat(120) + ".png");
                add(tar, "0002.webp");
            }
            tars.add(bytes.toByteArray());
        }
        return tars;
    }

    private static void add(TarArchiveOutputStream tar, String name) throws IOException {
        byte[] content = name.getBytes(StandardCharsets.UTF_8);
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }

    private static List<byte[]> images() throws IOException {
        List<byte[]> images = new ArrayList<>();
        BufferedImage image = new BufferedImage(24, 17, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 24 * 17; i++) {
            image.setRGB(i % 24, i / 24, i * 0x01030b);
        }
        for (String format : List.of("jpeg", "png", "webp", "gif", "bmp", "tiff")) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            if (ImageIO.write(image, format, bytes)) {
                images.add(bytes.toByteArray());
            }
        }
        images.addAll(golden(
                "pictures/arithmetic.jpg",
                "pictures/j_bw_440_progressive.jpg",
                "pictures/lossy.webp",
                "pictures/small3.webp",
                "pictures/screen_larger.gif",
                "pictures/alpha_420.avif",
                "pictures/frames.avif",
                "pictures/t_CMYK_tiff_lzw_1.tif",
                "pictures/t_1_group4_1.tif",
                "pictures/xRGB.ppm"));
        for (String name : List.of("gray.png", "palette.png", "thin.png", "gray.jpg", "cmyk.jpg", "exif6.jpg")) {
            byte[] file = golden("preprocess/files/" + name).get(0);
            if (file.length < 30_000) {
                images.add(file);
            }
        }
        return images;
    }

    private static List<byte[]> texts(String... texts) {
        return java.util.Arrays.stream(texts)
                .map(text -> text.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    private static List<byte[]> golden(String... names) {
        return java.util.Arrays.stream(names)
                .map(name -> {
                    try {
                        return Files.readAllBytes(Golden.model(name));
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                })
                .toList();
    }
}
