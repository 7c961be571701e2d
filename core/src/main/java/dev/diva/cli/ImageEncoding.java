package dev.diva.cli;

import dev.diva.BadInputException;
import dev.diva.clip.Clip;
import dev.diva.clip.Clip.Scale;
import dev.diva.clip.EmbeddingsFile;
import dev.diva.data.ImageDecoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Decodes and encodes images batch by batch; an unreadable one is skipped with its name, or an error. */
final class ImageEncoding implements ImageInputs.Receiver {
    private final Clip clip;
    private final Scale scale;
    private final boolean withTokens;
    private final int batchSize;
    private final boolean strict;
    private final Listener listener;
    private final ImageDecoder decoder = ImageDecoder.reference();

    private final List<float[]> pending = new ArrayList<>();
    private final List<float[]> embeddings = new ArrayList<>();
    private final List<float[]> tokens = new ArrayList<>();
    private final List<String> names = new ArrayList<>();
    private final List<String> skipped = new ArrayList<>();

    /** Hears of progress. */
    interface Listener {
        /** An image was left out. */
        void skipped(String reason);

        /** So many images are done. */
        void encoded(int count);
    }

    ImageEncoding(Clip clip, Scale scale, boolean withTokens, int batchSize, boolean strict, Listener listener) {
        this.clip = clip;
        this.scale = scale;
        this.withTokens = withTokens;
        this.batchSize = batchSize;
        this.strict = strict;
        this.listener = listener;
    }

    /**
     * Encodes all images.
     *
     * @throws BadInputException for the first unreadable one when strict, or when none could be read
     */
    void run(ImageInputs inputs) {
        inputs.forEach(this);
        flush();
        if (names.isEmpty()) {
            throw new BadInputException(
                    skipped.isEmpty()
                            ? "no image in what --images names"
                            : "no image could be read: " + skipped.get(0));
        }
    }

    @Override
    public void image(String name, byte[] file) {
        try {
            pending.add(clip.preprocessing().pixels(decoder.decode(file, name)));
            names.add(name);
        } catch (BadInputException e) {
            unreadable(name, e.getMessage());
            return;
        }
        if (pending.size() == batchSize) {
            flush();
        }
    }

    @Override
    public void unreadable(String name, String reason) {
        if (strict) {
            throw new BadInputException(reason);
        }
        skipped.add(reason);
        listener.skipped(reason);
    }

    /** Paths of the encoded images, in order. */
    List<String> names() {
        return names;
    }

    /** Why images were left out, each with its name. */
    List<String> skipped() {
        return skipped;
    }

    void addTo(EmbeddingsFile file) {
        file.add("image_embeds", embeddings.toArray(new float[0][]), clip.embeddingDim());
        if (withTokens) {
            int width = clip.embeddingDim();
            file.add("tokens", tokens.toArray(new float[0][]), tokens.get(0).length / width, width);
        }
        file.describe("images", names);
        if (!skipped.isEmpty()) {
            file.describe("skipped", skipped);
        }
    }

    private void flush() {
        if (pending.isEmpty()) {
            return;
        }
        if (withTokens) {
            for (float[] all : clip.encodeTokens(pending)) {
                tokens.add(all);
                embeddings.add(scaled(Arrays.copyOf(all, clip.embeddingDim()))); // the pooled token comes first
            }
        } else {
            embeddings.addAll(List.of(clip.encodeImages(pending, scale)));
        }
        pending.clear();
        listener.encoded(embeddings.size());
    }

    private float[] scaled(float[] embedding) {
        if (scale == Scale.RAW) {
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
