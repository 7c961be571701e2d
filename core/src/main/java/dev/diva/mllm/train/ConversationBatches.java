package dev.diva.mllm.train;

import dev.diva.BadInputException;
import dev.diva.clip.Preprocessing;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.engine.BatchShard;
import dev.diva.engine.Tensors;
import dev.diva.mllm.ImageAspect;
import dev.diva.train.MicroBatches;
import dev.diva.train.Sharding;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongToIntFunction;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Micro-batches of conversations: batch k is positions k * batch to (k + 1) * batch - 1 of the order. The texts of a whole micro-batch are
 * tokenised by every process that computes a part of it, because a loss is a mean over all of its labelled tokens; images by one.
 */
final class ConversationBatches implements MicroBatches<ConversationBatch> {
    /** In the place of a sample that cannot be used: the beginning of a text. */
    private static final LabelledText NOTHING = LabelledText.masked(new long[] {1}, false);

    private final ConversationFile file;
    private final LongToIntFunction order;
    private final Labelling labelling;
    private final int imageTokens;
    private final Pixels pixels;
    private final BatchShard shard;
    private final Skipped skipped;

    /**
     * How an image becomes what the tower sees.
     *
     * @param imageSize height and width
     */
    record Pixels(ImageAspect aspect, Preprocessing preprocessing, long imageSize) {
        float[] read(Path file) {
            return preprocessing.pixels(aspect.apply(
                    ImageDecoder.reference().decode(ImageEntry.of(file).read(), file.toString()),
                    preprocessing.mean()));
        }
    }

    /**
     * Over a file.
     *
     * @param order index of the sample at each position
     * @param imageTokens places of an image
     * @param sharding says which rows of each micro-batch this process computes
     * @param skipped told of every sample that cannot be used, and why
     */
    ConversationBatches(
            ConversationFile file,
            LongToIntFunction order,
            Labelling labelling,
            int imageTokens,
            Pixels pixels,
            Sharding sharding,
            Skipped skipped) {
        this.file = file;
        this.order = order;
        this.labelling = labelling;
        this.imageTokens = imageTokens;
        this.pixels = pixels;
        this.shard = sharding.shard();
        this.skipped = skipped;
    }

    /** Told of every sample of which nothing is learnt, each time that it is met. */
    interface Skipped {
        /** @param isUnreadable whether its image turned out to be */
        void tell(String sample, String reason, boolean isUnreadable);
    }

    /** A sample on its way into a batch: its image is read as float numbers, or is null. */
    private record Row(String name, float[] image, String problem, boolean isUnreadable) {}

    @Override
    public ConversationBatch at(long position) {
        long first = position * shard.total();
        int[] indices = IntStream.range(0, Math.toIntExact(shard.total()))
                .map(i -> order.applyAsInt(first + i))
                .toArray();
        // Images are decoded side by side; those of other processes as well, since a row whose image cannot be read is
        // no row of theirs.
        List<Row> rows = IntStream.of(indices).parallel().mapToObj(this::image).toList();
        List<String> names = new ArrayList<>();
        List<Sequence> own = new ArrayList<>();
        List<float[]> images = new ArrayList<>();
        int labelled = 0;
        int mismatched = 0;
        int cut = 0;
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            LabelledText text = row.problem == null ? labelling.of(file.at(indices[i])) : NOTHING;
            Sequence sequence = Sequence.of(text, imageTokens, labelling.limit());
            labelled += sequence.labelled();
            mismatched += text.isMismatched() ? 1 : 0;
            cut += sequence.isCut() ? 1 : 0;
            tell(row, text);
            if (i >= shard.from() && i < shard.from() + shard.count()) {
                names.add(row.name);
                own.add(sequence);
                if (sequence.imageTokens() > 0) {
                    images.add(row.image);
                }
            }
        }
        return new ConversationBatch(names, own, joined(images), labelled, mismatched, cut);
    }

    private Row image(int index) {
        String name = file.name(index);
        String problem = file.unusable().get(index);
        if (problem != null) {
            return new Row(name, null, problem, false);
        }
        Conversation conversation = file.at(index);
        if (conversation.image() == null) {
            return new Row(name, null, null, false);
        }
        try {
            return new Row(name, pixels.read(file.image(conversation)), null, false);
        } catch (BadInputException e) {
            return new Row(name, null, e.getMessage(), true);
        }
    }

    private void tell(Row row, LabelledText text) {
        if (row.problem != null) {
            skipped.tell(row.name, row.problem, row.isUnreadable);
        } else if (text.isMismatched()) {
            skipped.tell(
                    row.name,
                    "tokenization mismatch: its rounds tokenised alone do not add up to the whole, nothing of it is learnt",
                    false);
        }
    }

    private Tensor joined(List<float[]> images) {
        if (images.isEmpty()) {
            return null;
        }
        int length = images.get(0).length;
        float[] joined = new float[images.size() * length];
        for (int i = 0; i < images.size(); i++) {
            System.arraycopy(images.get(i), 0, joined, i * length, length);
        }
        return Tensors.of(joined, images.size(), 3, pixels.imageSize(), pixels.imageSize());
    }
}
