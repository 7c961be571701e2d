package dev.diva.diffusion;

import dev.diva.checkpoint.Weights;
import dev.diva.diffusion.layer.EmbeddingMlp;
import dev.diva.diffusion.layer.SinusoidalEmbedding;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** The vector that every residual block of a UNet gets: of the timestep, in SDXL of pooled text and sizes, in Stable unCLIP of the image. */
final class TimeCondition {
    private final SinusoidalEmbedding timestep;
    private final EmbeddingMlp timestepMlp;
    private final SinusoidalEmbedding number; // null without added condition
    private final EmbeddingMlp addedMlp;
    private final EmbeddingMlp classMlp; // null without class embeddings

    TimeCondition(Weights weights, UNetConfig.TimeConfig config) {
        this.timestep = new SinusoidalEmbedding(config.frequencies(), config.cosineFirst(), config.frequencyShift());
        this.timestepMlp = new EmbeddingMlp(weights.at("time_embedding"), config.frequencies(), config.width());
        UNetConfig.AddedCondition added = config.added();
        if (added == null) {
            this.number = null;
            this.addedMlp = null;
        } else {
            long in = added.pooledDim() + UNetConfig.AddedCondition.NUMBERS * added.numberDim();
            this.number = new SinusoidalEmbedding(added.numberDim(), config.cosineFirst(), config.frequencyShift());
            this.addedMlp = new EmbeddingMlp(weights.at("add_embedding"), in, config.width());
        }
        this.classMlp = config.classDim() == 0
                ? null
                : new EmbeddingMlp(weights.at("class_embedding"), config.classDim(), config.width());
    }

    /**
     * Embeds the timesteps and, where the model has them, the added condition and the class embeddings.
     *
     * @param timesteps [batch]
     * @param conditions of which the tokens are not looked at
     * @param dtype of the result
     * @return [batch, width]
     */
    Tensor forward(Tensor timesteps, UNet.Conditions conditions, ScalarType dtype) {
        return Scopes.returning(() -> {
            Tensor embedding = timestepMlp.forward(timestep.forward(timesteps).to(dtype));
            if (classMlp != null) {
                return embedding.add(classMlp.forward(Tensors.onto(conditions.classes(), timesteps.device(), dtype)));
            }
            if (number == null) {
                return embedding;
            }
            UNet.Added added = conditions.added();
            Tensor pooled = Tensors.onto(added.pooledText(), timesteps.device(), ScalarType.Float);
            Tensor numbers = Tensors.onto(added.numbers(), timesteps.device(), ScalarType.Float);
            Tensor sizes = number.forward(numbers.flatten(0, 1)).reshape(numbers.size(0), -1);
            Tensor whole = torch.cat(new TensorVector(pooled, sizes), -1).to(dtype);
            return embedding.add(addedMlp.forward(whole));
        });
    }
}
