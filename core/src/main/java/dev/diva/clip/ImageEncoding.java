package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.clip.Clip.Scale;
import dev.diva.data.DataProblem;
import dev.diva.data.ImageLoader;
import dev.diva.data.ImageLoader.Sample;
import dev.diva.data.ImageSet;
import dev.diva.data.SampleOrder;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Encodes images batch by batch while worker threads decode the next ones; an unreadable one is skipped with its name, or an error.
 */
public final class ImageEncoding {
    private static final int MOST_WORKERS = 8;

    private final Clip clip;
    private final EmbeddingsFile file;
    private final Settings settings;
    private final List<String> names = new ArrayList<>();
    private final List<String> skipped = new ArrayList<>();

    /** What is wanted of each image. */
    public record Settings(Scale scale, boolean withTokens, int batchSize, boolean strict) implements Serializable {}

    /** Hears how it goes. */
    public interface Listener {
        /** So many images were looked at. */
        void done(long images);

        /** One that cannot be read. */
        void skipped(DataProblem problem);
    }

    public ImageEncoding(Clip clip, EmbeddingsFile file, Settings settings) {
        this.clip = clip;
        this.file = file;
        this.settings = settings;
    }

    /**
     * Appends the embeddings of all images to the file, in their order.
     *
     * @throws BadInputException for the first unreadable one when strict, or when none could be read
     */
    public void run(ImageSet images, Listener listener) {
        int workers = Math.min(MOST_WORKERS, Runtime.getRuntime().availableProcessors());
        ImageLoader.Settings ahead =
                ImageLoader.Settings.of(workers, (int) Math.min(2L * settings.batchSize(), images.size()));
        SampleOrder order = new SampleOrder(images.size(), 0, false);
        try (ImageLoader<float[]> loader = new ImageLoader<>(
                images,
                order,
                ahead,
                (image, draw) -> clip.preprocessing().pixels(image),
                problem -> leaveOut(problem, listener))) {
            List<float[]> pending = new ArrayList<>();
            for (Optional<Sample<float[]>> next = loader.nextBefore(images.size());
                    next.isPresent();
                    next = loader.nextBefore(images.size())) {
                pending.add(next.get().value());
                names.add(next.get().name());
                if (pending.size() == settings.batchSize()) {
                    encode(pending);
                    listener.done(loader.position());
                }
            }
            encode(pending);
        }
        if (names.isEmpty()) {
            throw new BadInputException("no image could be read: " + skipped.get(0));
        }
        file.describe("images", names);
        if (!skipped.isEmpty()) {
            file.describe("skipped", skipped);
        }
    }

    /** Reports something unreadable. */
    public void leaveOut(DataProblem problem, Listener listener) {
        if (settings.strict()) {
            throw new BadInputException(problem.toString());
        }
        skipped.add(problem.toString());
        listener.skipped(problem);
    }

    private void encode(List<float[]> pending) {
        if (pending.isEmpty()) {
            return;
        }
        int width = clip.embeddingDim();
        if (settings.withTokens()) {
            float[][] tokens = clip.encodeTokens(pending);
            float[][] embeddings = new float[tokens.length][];
            for (int i = 0; i < tokens.length; i++) {
                embeddings[i] = scaled(Arrays.copyOf(tokens[i], width)); // the pooled token comes first
            }
            file.append("image_embeds", embeddings, width);
            file.append("tokens", tokens, tokens[0].length / width, width);
        } else {
            file.append("image_embeds", clip.encodeImages(pending, settings.scale()), width);
        }
        pending.clear();
    }

    private float[] scaled(float[] embedding) {
        if (settings.scale() == Scale.RAW) {
            return embedding;
        }
        double squares = 0;
        for (float value : embedding) {
            squares += (double) value * value;
        }
        float norm = (float) Math.sqrt(squares);
        for (int i = 0; i < embedding.length; i++) {
            embedding[i] /= norm;
        }
        return embedding;
    }
}
