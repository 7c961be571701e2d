package dev.diva.mllm.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AdapterDropout;
import dev.diva.checkpoint.LowRank;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.engine.Engine;
import dev.diva.engine.Gpu;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.RandomStreams;
import dev.diva.mllm.LlavaResult;
import dev.diva.mllm.TrainableLlava;
import dev.diva.train.FileHashes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;

/** The model and the data of a recipe, checked, and the recipe with everything filled in that they decide. */
public final class StageInputs implements AutoCloseable {
    private static final double LORA_RATE = 2e-4;
    private static final double FULL_RATE = 2e-5;

    private final FileHashes hashes = new FileHashes();
    private final List<String> notes = new ArrayList<>();
    private final ConversationFile data;
    private final Placement placement;
    private final AdapterDropout dropout; // or null
    private final TrainableLlava model;
    private final StageKeys keys;
    private final StageRecipe recipe;

    private StageInputs(StageKeys asked) {
        StageRecipe given = asked.recipe();
        Engine.setThreads(given.threads());
        Gpu.useTf32(given.device(), given.tf32());
        this.placement = Placement.of(given.device(), given.precision(), given.lowMemory());
        this.dropout = dropout(given);
        this.data = ConversationFile.open(
                Path.of(given.data()), Path.of(given.images()), given.template().prompts());
        try {
            notes.addAll(DataReport.ofFile(data, given.maxBadShare())); // before gigabytes are loaded
            this.model = TrainableLlava.load(start(given), placement, learning(given));
        } catch (RuntimeException e) {
            data.close();
            throw e;
        }
        this.keys = resolved(asked, given);
        this.recipe = keys.recipe();
        try {
            if (recipe.output() == StageRecipe.Output.PART) {
                new LlavaResult(model).requirePart();
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Reads the data and loads the model.
     *
     * @param recipe with every path given
     * @throws BadInputException when either is damaged, or they contradict the recipe
     */
    public static StageInputs load(StageKeys recipe) {
        try (PointerScope scope = new PointerScope()) {
            return new StageInputs(recipe);
        }
    }

    private static TrainableLlava.Start start(StageRecipe given) {
        return new TrainableLlava.Start(
                Path.of(given.llava()),
                given.base() == null ? null : Path.of(given.base()),
                given.tower(),
                given.format() == null ? null : CheckpointFormat.of(given.format()),
                given.projector(),
                given.seed());
    }

    private static AdapterDropout dropout(StageRecipe given) {
        boolean has = given.trainable().mode() == StageRecipe.Trainable.Mode.LORA
                && given.trainable().dropout() > 0;
        return has ? new AdapterDropout(given.trainable().dropout()) : null;
    }

    private TrainableLlava.Learning learning(StageRecipe given) {
        StageRecipe.Trainable trainable = given.trainable();
        return switch (trainable.mode()) {
            case PROJECTOR -> TrainableLlava.Learning.PROJECTOR;
            case FULL -> new TrainableLlava.Learning(true, null);
            case LORA ->
                new TrainableLlava.Learning(
                        false,
                        new LowRank.Plan(
                                trainable.rank(),
                                trainable.alpha(),
                                TrainableLlava.layersNamed(trainable.targets()),
                                new RandomStreams(given.seed()).stream("lora"),
                                false,
                                dropout));
        };
    }

    private StageKeys resolved(StageKeys asked, StageRecipe given) {
        ObjectNode changes = asked.root().objectNode();
        boolean isFull = given.trainable().mode() == StageRecipe.Trainable.Mode.FULL;
        changes.put("precision", placement.precision() == Precision.BF16 ? "bf16" : "fp32");
        if (given.output() == null) {
            changes.put("output", isFull ? "merged" : "part");
        }
        if (isFull && given.output() == StageRecipe.Output.PART) {
            throw new BadInputException("recipe: output is part, but all of the language model learns (trainable.mode"
                    + " full); set output to merged");
        }
        int positions = model.language().config().maxPositions();
        if (given.maxLength() > positions) {
            changes.put("maxLength", positions);
            notes.add("warning: maxLength is " + given.maxLength() + ", the model has " + positions
                    + " positions: longer samples are cut there");
        }
        ObjectNode train = changes.putObject("train");
        train.put("steps", given.train().steps(data.size()));
        if (given.train().lr() == null) {
            train.put("lr", isFull ? FULL_RATE : LORA_RATE);
        }
        return asked.with(changes, "recipe");
    }

    /** The recipe with nothing left open. */
    public StageKeys keys() {
        return keys;
    }

    /** The same, typed. */
    public StageRecipe recipe() {
        return recipe;
    }

    public Placement placement() {
        return placement;
    }

    /** What is to be told of the data, and what the recipe asks for and the model cannot do, a line each. */
    List<String> notes() {
        return notes;
    }

    ConversationFile data() {
        return data;
    }

    TrainableLlava model() {
        return model;
    }

    AnswerObjective objective() {
        return new AnswerObjective(model, dropout, recipe.lowMemory());
    }

    /** Text to labels, as the recipe says. */
    Labelling labelling() {
        return new Labelling(recipe.template().prompts(), model::tokenized, !model.roundsRestart(), recipe.maxLength());
    }

    FileHashes hashes() {
        return hashes;
    }

    @Override
    public void close() {
        hashes.close();
        model.close();
        data.close();
    }
}
