package dev.diva.diffusion;

import dev.diva.checkpoint.ConfigJson;
import dev.diva.checkpoint.Weights;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.engine.Precision;
import dev.diva.testing.Golden;
import java.nio.file.Path;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;

/** Loads the tiny golden teachers and takes their losses. */
final class Teachers {
    private Teachers() {}

    static ConfigJson config(Path part) {
        return ConfigJson.read(part.resolve("config.json"));
    }

    static Weights weights(Path part, Precision precision) {
        return Weights.frozen(
                TensorFile.open(part.resolve("diffusion_pytorch_model.safetensors")),
                Golden.placement().with(precision));
    }

    static Weights trained(Path part) {
        return Weights.trained(
                TensorFile.open(part.resolve("diffusion_pytorch_model.safetensors")), Golden.placement(), name -> true);
    }

    static UNet unet(Weights weights, Path part) {
        UNet unet = new UNet(weights, UNetConfig.read(config(part)));
        weights.finish();
        return unet;
    }

    static Path unetOf(String golden) {
        return Golden.model(golden).resolve("unet");
    }

    /** Prediction, loss and the gradient of the loss for the condition. */
    record Result(Tensor prediction, Tensor loss, Tensor gradient) {}

    static Result differentiate(Tensor condition, Tensor target, Function<Tensor, Tensor> predict) {
        Tensor leaf = condition.clone().set_requires_grad(true);
        Tensor prediction = predict.apply(leaf);
        Tensor error = prediction.sub(target.to(prediction.device(), prediction.scalar_type()));
        Tensor loss = error.mul(error).mean();
        loss.backward();
        return new Result(prediction, loss, leaf.grad());
    }
}
