package dev.diva.world.pretrain;

import dev.diva.checkpoint.Weights;
import dev.diva.clip.ClipConfig;
import dev.diva.clip.TextTower;
import dev.diva.clip.VisionTower;
import dev.diva.engine.BatchShard;
import dev.diva.engine.ProcessGroup;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.model.ClipTokenizer;
import dev.diva.train.Contribution;
import dev.diva.train.Losses;
import dev.diva.train.Objective;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The small CLIP's training: each image is to be told its web caption from those of the whole batch, and the reverse. Where several
 * processes split a batch, they exchange embeddings, each computes the whole loss, and its gradient goes back through its own rows.
 */
final class CaptionMatching implements Objective<SceneBatch> {
    private final VisionTower vision;
    private final TextTower text;
    private final Tensor logLogitScale;
    private final CaptionedScenes scenes;
    private final ClipTokenizer tokenizer;
    private final ProcessGroup processGroup;

    CaptionMatching(
            Weights weights,
            ClipConfig config,
            CaptionedScenes scenes,
            ClipTokenizer tokenizer,
            ProcessGroup processGroup) {
        this.vision = new VisionTower(weights, config.vision());
        this.text = new TextTower(weights, config.text());
        this.logLogitScale = weights.vector("logit_scale");
        weights.finish();
        this.scenes = scenes;
        this.tokenizer = tokenizer;
        this.processGroup = processGroup;
    }

    @Override
    public Losses backward(SceneBatch batch, RandomStreams streams, Contribution contribution) {
        int[] indices = batch.indices();
        Tensor images = vision.embedding(vision.encode(MiniDiffusion.pixels(scenes.pixels(indices))));
        Tensor texts = text.embedding(captionIds(indices));
        BatchShard shard = contribution.shard();
        if (shard.count() == shard.total()) {
            return contribution.backward(ContrastiveLoss.of(images, texts, logLogitScale));
        }
        Tensor allImages = gathered(images, shard);
        Tensor allTexts = gathered(texts, shard);
        Tensor loss = ContrastiveLoss.of(allImages, allTexts, logLogitScale.detach());
        loss.backward(); // to the embeddings
        Tensor ofScale = ContrastiveLoss.of(allImages.detach(), allTexts.detach(), logLogitScale);
        // The mean over the processes is to be their sum for the towers, whose rows are in one process each.
        Tensor ofTowers = link(images, allImages, shard).add(link(texts, allTexts, shard));
        contribution.backward(ofScale.add(ofTowers.mul(new Scalar((double) shard.total() / shard.count()))));
        return Losses.of(loss);
    }

    /** Draws nothing. */
    @Override
    public void skip(RandomStreams streams, BatchShard none) {}

    /** Rows of all processes, as a leaf. */
    private Tensor gathered(Tensor own, BatchShard shard) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            Tensor all = torch.zeros(shard.total(), own.size(1));
            all.narrow(0, shard.from(), shard.count()).copy_(own);
            processGroup.sum(all);
            return all.set_requires_grad(true);
        }
    }

    /** A product whose gradient at the own rows is what the loss left at the gathered ones. */
    private static Tensor link(Tensor own, Tensor all, BatchShard shard) {
        return own.mul(all.grad().narrow(0, shard.from(), shard.count())).sum();
    }

    private Tensor captionIds(int[] indices) {
        long[] ids = new long[indices.length * MiniClip.CONTEXT_LENGTH];
        for (int i = 0; i < indices.length; i++) {
            long[] words = tokenizer.encode(scenes.webCaption(indices[i]));
            System.arraycopy(words, 0, ids, i * MiniClip.CONTEXT_LENGTH, words.length);
        }
        return Tensors.of(ids, indices.length, MiniClip.CONTEXT_LENGTH);
    }
}
