package dev.diva.world.pretrain;

import dev.diva.engine.BatchShard;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.language.Llama;
import dev.diva.language.LlamaTokenizer;
import dev.diva.language.NextTokens;
import dev.diva.train.Contribution;
import dev.diva.train.Losses;
import dev.diva.train.Objective;
import dev.diva.world.ConversationSets;
import dev.diva.world.SceneQuestion;
import dev.diva.world.WorldRecipe;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The small language model's training: a full caption stands where the image will, and it is to say it again, or to answer questions on it.
 * Cross entropy of the tokens of its answers, their sum's mean over the scenes.
 */
final class CaptionReading implements Objective<SceneBatch> {
    // The system sentence, a third of the tokens, is left to the stages of a LLaVA.

    /** Shares of scenes of which the caption is said again: bare, as stage 1 shows it, and as an answer. */
    private static final double BARE = 0.15;

    private static final double SAID = 0.3;
    private static final long PAD = 0;

    private final Llama llama;
    private final LlamaTokenizer tokenizer;
    private final SceneSampler sampler;

    CaptionReading(Llama llama, LlamaTokenizer tokenizer, WorldRecipe world) {
        this.llama = llama;
        this.tokenizer = tokenizer;
        this.sampler = new SceneSampler(world.seed(), Split.PRETRAIN);
    }

    @Override
    public Losses backward(SceneBatch batch, RandomStreams streams, Contribution contribution) {
        List<Text> texts = batch.scenes().stream().map(this::text).toList();
        int longest = texts.stream().mapToInt(text -> text.ids.size()).max().orElse(0);
        long[] ids = new long[texts.size() * longest];
        List<long[]> labels = new ArrayList<>();
        for (int row = 0; row < texts.size(); row++) {
            Text text = texts.get(row);
            Arrays.fill(ids, row * longest, (row + 1) * longest, PAD);
            for (int i = 0; i < text.ids.size(); i++) {
                ids[row * longest + i] = text.ids.get(i);
            }
            labels.add(text.labels.stream().mapToLong(Long::longValue).toArray());
        }
        Tensor hidden = llama.forward(llama.embed(Tensors.of(ids, texts.size(), longest)), null);
        Tensor sum = NextTokens.crossEntropy(llama, hidden, labels);
        return contribution.backward(sum.mul(new Scalar(1.0 / texts.size())));
    }

    /** Draws nothing. */
    @Override
    public void skip(RandomStreams streams, BatchShard none) {}

    private Text text(int index) {
        Scene scene = sampler.scene(index);
        RandomGenerator random = sampler.stream("reading", index);
        String caption = Captions.full(scene);
        Text text = new Text();
        double kind = random.nextDouble();
        if (kind < BARE) {
            text.add(caption, false);
            text.add(caption, true);
            return text;
        }
        List<SceneQuestion> questions = kind < SAID ? List.of() : ConversationSets.questions(scene, random);
        String first =
                questions.isEmpty() ? SceneQuestion.CAPTION : questions.get(0).asked();
        text.add("USER: " + caption + "\n" + first + " ASSISTANT:", false);
        text.answer(questions.isEmpty() ? caption : questions.get(0).answer());
        questions.stream().skip(1).forEach(question -> {
            text.add("USER: " + question.asked() + " ASSISTANT:", false);
            text.answer(question.answer());
        });
        return text;
    }

    /** Tokens, and which of them are learnt. */
    private final class Text {
        private final List<Long> ids = new ArrayList<>();
        private final List<Long> labels = new ArrayList<>();

        Text() {
            put(tokenizer.encode("")[0], false);
        }

        void add(String words, boolean isLearnt) {
            Arrays.stream(tokenizer.encode(words)).skip(1).forEach(id -> put(id, isLearnt));
        }

        void answer(String words) {
            add(words, true);
            put(tokenizer.endId(), true);
        }

        private void put(long id, boolean isLearnt) {
            ids.add(id);
            labels.add(isLearnt ? id : NextTokens.NONE);
        }
    }
}
