package dev.diva.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.clip.VisionTower;
import dev.diva.data.ImageDecoder;
import dev.diva.data.RasterImage;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Share;
import dev.diva.engine.Tensors;
import dev.diva.feedback.Projection;
import dev.diva.feedback.RecapSettings;
import dev.diva.feedback.VisualCondition;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** What a CLIP's tokens tell of images: each is painted again by the diffusion model from these tokens alone, from the same noise. */
final class Reconstructions {
    private static final int STEPS = 25;

    private final DiffusionModel teacher;
    private final RecapSettings recap;
    private final Tensor text;
    private final long seed;

    /**
     * A tower and the projection that was trained for it.
     *
     * @param clip folder of the CLIP
     * @param projection safetensors file
     */
    record Eye(Path clip, Path projection) {}

    private Reconstructions(DiffusionModel teacher, RecapSettings recap, String prompt, long seed) {
        this.teacher = teacher;
        this.recap = recap;
        this.text = teacher.encodePrompt(prompt);
        this.seed = seed;
    }

    /** Paints the images with both eyes and writes pictures and {@code index.json} for the report. */
    static void write(Path diffusion, RecapSettings recap, String prompt, List<Eye> eyes, List<Path> images, Path out) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                DiffusionModel teacher = DiffusionModel.load(diffusion, Placement.cpu(Precision.FP32))) {
            Reconstructions painter = new Reconstructions(teacher, recap, prompt, 1);
            List<BufferedImage> before = painter.paint(eyes.get(0), images);
            List<BufferedImage> after = painter.paint(eyes.get(1), images);
            Files.createDirectories(out);
            ObjectNode index = new ObjectMapper().createObjectNode();
            ArrayNode items = index.putArray("items");
            for (int i = 0; i < images.size(); i++) {
                String name = "image-" + (i + 1);
                Files.write(out.resolve(name + ".png"), Files.readAllBytes(images.get(i)));
                ImageIO.write(
                        before.get(i), "png", out.resolve(name + "-before.png").toFile());
                ImageIO.write(
                        after.get(i), "png", out.resolve(name + "-after.png").toFile());
                items.addObject()
                        .put("image", name + ".png")
                        .put("before", name + "-before.png")
                        .put("after", name + "-after.png");
            }
            Files.writeString(out.resolve("index.json"), index.toPrettyString() + "\n");
        } catch (IOException e) {
            throw new BadInputException(out + ": cannot be written: " + e, e);
        }
    }

    private List<BufferedImage> paint(Eye eye, List<Path> files) throws IOException {
        List<RasterImage> images = new java.util.ArrayList<>();
        for (Path file : files) {
            images.add(ImageDecoder.reference().decode(Files.readAllBytes(file), file.toString()));
        }
        try (Clip clip = Clip.load(eye.clip);
                Projection projection = Projection.load(
                        eye.projection,
                        clip.embeddingDim(),
                        recap.recap(clip.visionTower().config().numPatches()).projectedTo()
                                * teacher.denoiser().crossAttentionDim(),
                        Placement.cpu(Precision.FP32).device())) {
            RandomStreams streams = new RandomStreams(seed);
            VisionTower tower = clip.visionTower();
            Tensor condition = new VisualCondition(tower, recap, projection, text)
                    .of(pixels(clip, images), new BatchDraws(streams.stream("recap"), Share.whole(images.size())))
                    .condition();
            long channels = teacher.denoiser().latentChannels();
            long side = images.get(0).width() / teacher.autoencoder().downscale();
            Tensor noise = RandomStreams.randn(streams.stream("noise"), images.size(), channels, side, side);
            Tensor latents = new Sampler(teacher.denoiser(), teacher.schedule(), STEPS).paint(noise, condition);
            return images(teacher.autoencoder().decode(latents));
        }
    }

    private static Tensor pixels(Clip clip, List<RasterImage> images) {
        int size = clip.preprocessing().imageSize();
        float[] values = new float[images.size() * 3 * size * size];
        for (int i = 0; i < images.size(); i++) {
            float[] pixels = clip.preprocessing().pixels(images.get(i));
            System.arraycopy(pixels, 0, values, i * pixels.length, pixels.length);
        }
        return Tensors.of(values, images.size(), 3, size, size);
    }

    /** [images, 3, side, side] in -1..1. */
    private static List<BufferedImage> images(Tensor decoded) {
        int count = Math.toIntExact(decoded.size(0));
        int side = Math.toIntExact(decoded.size(3));
        float[] values = Tensors.toFloats(decoded);
        int area = side * side;
        BufferedImage[] images = new BufferedImage[count];
        for (int i = 0; i < count; i++) {
            images[i] = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
            for (int p = 0; p < area; p++) {
                int rgb = 0;
                for (int channel = 0; channel < 3; channel++) {
                    float value = values[(3 * i + channel) * area + p];
                    rgb = rgb << 8 | Math.max(0, Math.min(255, Math.round((value + 1) * 127.5f)));
                }
                images[i].setRGB(p % side, p / side, rgb);
            }
        }
        return Arrays.asList(images);
    }
}
