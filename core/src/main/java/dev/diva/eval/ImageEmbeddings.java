package dev.diva.eval;

import dev.diva.BadInputException;
import dev.diva.data.ImageEntry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;

/**
 * Embeds images in their order: while the model computes one batch, the next is read and decoded by other threads. Never more than two
 * batches of pixels are held.
 */
public final class ImageEmbeddings {
    private static final int BATCH = 32;

    private final ImageEncoder encoder;
    private final Consumer<float[]> receiver;
    private final Consumer<BadInputException> unreadable;
    private final Deque<CompletableFuture<float[]>> decoding = new ArrayDeque<>();

    /** @param receiver takes the embeddings, in order, on the calling thread; an unreadable image is an error */
    public ImageEmbeddings(ImageEncoder encoder, Consumer<float[]> receiver) {
        this(encoder, receiver, problem -> {
            throw problem;
        });
    }

    private ImageEmbeddings(ImageEncoder encoder, Consumer<float[]> receiver, Consumer<BadInputException> unreadable) {
        this.encoder = encoder;
        this.receiver = receiver;
        this.unreadable = unreadable;
    }

    /** The embeddings of a list of images; an unreadable one is an error. */
    public static float[][] of(ImageEncoder encoder, List<ImageEntry> images) {
        return of(encoder, images, problem -> {
            throw problem;
        });
    }

    /** The embeddings of a list of images, null for each that {@code unreadable} was told of. */
    public static float[][] of(ImageEncoder encoder, List<ImageEntry> images, Consumer<BadInputException> unreadable) {
        List<float[]> rows = new ArrayList<>(images.size());
        ImageEmbeddings embeddings = new ImageEmbeddings(encoder, rows::add, unreadable);
        images.forEach(embeddings::add);
        embeddings.finish();
        return rows.toArray(float[][]::new);
    }

    /** Takes the next image; may compute. */
    public void add(ImageEntry image) {
        decoding.add(CompletableFuture.supplyAsync(() -> encoder.pixels(image)));
        if (decoding.size() == 2 * BATCH) {
            compute(BATCH);
        }
    }

    /** Computes what is left. */
    public void finish() {
        while (!decoding.isEmpty()) {
            compute(Math.min(BATCH, decoding.size()));
        }
    }

    private void compute(int count) {
        List<float[]> pixels = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            pixels.add(decoded());
        }
        float[][] embeddings =
                encoder.images(pixels.stream().filter(Objects::nonNull).toList());
        int next = 0;
        for (float[] image : pixels) {
            receiver.accept(image == null ? null : embeddings[next++]);
        }
    }

    private float[] decoded() {
        try {
            return decoding.remove().join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof BadInputException problem) {
                unreadable.accept(problem);
                return null;
            }
            throw e;
        }
    }
}
