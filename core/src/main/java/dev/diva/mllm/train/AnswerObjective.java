package dev.diva.mllm.train;

import dev.diva.checkpoint.AdapterDropout;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.Engine;
import dev.diva.engine.OwnGradient;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.language.NextTokens;
import dev.diva.mllm.TrainableLlava;
import dev.diva.train.Contribution;
import dev.diva.train.Losses;
import dev.diva.train.Objective;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * What both stages minimise: the cross entropy of every token that is learnt, foretold from what stands before it, mean over those of the
 * micro-batch. A micro-batch without any changes nothing; LLaVA's own loss of it is not a number.
 */
final class AnswerObjective implements Objective<ConversationBatch> {
    private static final String STREAM = "draws";
    private static final long SEEDS = Long.MAX_VALUE;

    private final TrainableLlava model;
    private final AdapterDropout dropout; // or null
    private final boolean lowMemory;

    AnswerObjective(TrainableLlava model, AdapterDropout dropout, boolean lowMemory) {
        this.model = model;
        this.dropout = dropout;
        this.lowMemory = lowMemory;
    }

    @Override
    public Losses backward(ConversationBatch batch, RandomStreams streams, Contribution contribution) {
        if (dropout != null) {
            dropout.begin(new BatchDraws(streams.stream(STREAM), contribution.shard()).randint(SEEDS));
        }
        try {
            if (lowMemory) {
                Engine.trimMemory();
            }
            return contribution
                    .backward(loss(batch, contribution.shard()))
                    .and(batch.labelled(), batch.labelled() == 0 ? 1 : 0, batch.mismatched(), batch.cut());
        } finally {
            if (dropout != null) {
                dropout.end();
            }
        }
    }

    @Override
    public void skip(RandomStreams streams, BatchShard none) {
        if (dropout != null) {
            new BatchDraws(streams.stream(STREAM), none).randint(SEEDS);
        }
    }

    @Override
    public List<String> penalties() {
        return List.of("labelledTokens", "batchesWithoutLabels", "mismatchedSamples", "cutSamples");
    }

    /** Of the own rows, as large as makes the mean over the processes that share the micro-batch its loss. */
    private Tensor loss(ConversationBatch batch, BatchShard shard) {
        long own = batch.rows().stream().mapToLong(Sequence::labelled).sum();
        if (own == 0) {
            return nothing(model.parameters().values());
        }
        Tensor loss = answers(batch).mul(new Scalar((double) shard.total() / shard.count() / batch.labelled()));
        // The projector has a gradient in any case, so that its momentum moves it, and processes exchange the same
        // tensors.
        return batch.pixels() != null ? loss : loss.add(nothing(projectorParameters()));
    }

    private List<Tensor> projectorParameters() {
        List<Tensor> parameters = new ArrayList<>();
        model.parameters().forEach((name, parameter) -> {
            if (TrainableLlava.isProjector(name)) {
                parameters.add(parameter);
            }
        });
        return parameters;
    }

    /** Zero, of which every parameter has a zero gradient. */
    private static Tensor nothing(Collection<Tensor> parameters) {
        Tensor sum = torch.zeros(1).sum();
        for (Tensor parameter : parameters) {
            sum = sum.add(parameter.flatten().narrow(0, 0, 1).sum().mul(new Scalar(0.0)));
        }
        return sum;
    }

    /** Sum of the cross entropies. */
    private Tensor answers(ConversationBatch batch) {
        int longest = batch.rows().stream().mapToInt(Sequence::length).max().orElse(0);
        Tensor hidden = model.language().forward(embedded(batch, longest), null);
        List<long[]> labels = batch.rows().stream().map(Sequence::labels).toList();
        return NextTokens.crossEntropy(model.language(), hidden, labels);
    }

    /** [rows, longest, width], padded with zeros. */
    private Tensor embedded(ConversationBatch batch, int longest) {
        Tensor features = batch.pixels() == null ? null : features(batch.pixels());
        TensorVector rows = new TensorVector();
        int image = 0;
        for (Sequence row : batch.rows()) {
            TensorVector parts = new TensorVector();
            parts.push_back(embedded(row.before()));
            if (row.imageTokens() > 0) {
                parts.push_back(features.select(0, image++).narrow(0, 0, row.imageTokens()));
            }
            if (row.after().length > 0) {
                parts.push_back(embedded(row.after()));
            }
            if (row.length() < longest) {
                TensorOptions options = parts.get(0).options();
                long[] padding = {longest - row.length(), parts.get(0).size(1)};
                parts.push_back(torch.zeros(padding, options));
            }
            rows.push_back(torch.cat(parts, 0));
        }
        return torch.stack(rows);
    }

    private Tensor embedded(long... ids) {
        return model.language().embed(Tensors.of(ids, ids.length));
    }

    /** [images, tokens, width]; the tower learns nothing. */
    private Tensor features(Tensor pixels) {
        return model.projector()
                .forward(OwnGradient.withoutGraph(() -> model.tower().forward(pixels)));
    }
}
