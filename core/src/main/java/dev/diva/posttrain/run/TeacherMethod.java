package dev.diva.posttrain.run;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.diffusion.Autoencoder;
import dev.diva.diffusion.Condition;
import dev.diva.diffusion.DdimSampler;
import dev.diva.diffusion.Denoiser;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.diffusion.FlowSampler;
import dev.diva.diffusion.Sampler;
import dev.diva.engine.Placement;
import dev.diva.engine.Scopes;
import dev.diva.posttrain.recipe.Recipe;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/** A method whose denoiser is that of a frozen latent diffusion model, told of a prompt. */
abstract class TeacherMethod implements Method {
    private final Recipe asked;
    private final DiffusionModel teacher;
    private final Placement placement;
    private Tensor text; // [1, tokens, width]

    /** @param teacher becomes the method's */
    TeacherMethod(Recipe asked, DiffusionModel teacher, Placement placement) {
        this.asked = asked;
        this.teacher = teacher;
        this.placement = placement;
    }

    @Override
    public void resolve(ObjectNode keys) {
        if (asked.timesteps().max() == null) {
            keys.putObject("timesteps").put("max", teacher.numTrainTimesteps() - 1);
        }
    }

    @Override
    public void open(Recipe recipe) {
        int timesteps = teacher.numTrainTimesteps();
        if (recipe.timesteps().max() >= timesteps) {
            throw new BadInputException("recipe: timesteps.max is "
                    + recipe.timesteps().max() + ", the teacher has " + timesteps + ", counted from 0");
        }
    }

    /** Encodes the prompt, which lives as long as the method. */
    final void keepText(Tensor encoded) {
        text = Scopes.keep(encoded.to(placement.device(), placement.precision().dtype()));
    }

    /**
     * Refuses a denoiser that is told of images otherwise than the method does, before anything is begun.
     *
     * @param told any condition, or what throws when there can be none
     */
    final void requireTold(Supplier<Condition> told) {
        try {
            told.get().requireVector(denoiser().vectorDim());
        } catch (BadInputException e) {
            throw new BadInputException("recipe: diffusion " + asked.diffusion() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public List<String> notes() {
        return teacher.notes();
    }

    @Override
    public void refuseBroken() {
        teacher.refuseBroken();
    }

    final DiffusionModel teacher() {
        return teacher;
    }

    final Placement placement() {
        return placement;
    }

    final Tensor text() {
        return text;
    }

    @Override
    public Autoencoder autoencoder() {
        return teacher.autoencoder();
    }

    @Override
    public long latentMultiple() {
        return teacher.latentMultiple();
    }

    @Override
    public long largestLatent() {
        return teacher.largestLatent();
    }

    @Override
    public Denoiser denoiser() {
        return teacher.denoiser();
    }

    @Override
    public Sampler sampler(int steps) {
        return teacher.flow()
                .<Sampler>map(flow -> new FlowSampler(steps, flow.shift()))
                .orElseGet(() -> new DdimSampler(teacher.schedule(), steps));
    }

    @Override
    public List<Path> files() {
        return teacher.files();
    }

    @Override
    public List<Path> autoencoderFiles() {
        return Autoencoders.filesOf(teacher);
    }

    @Override
    public void denoise(Tensor latents) {
        long batch = latents.size(0);
        Tensor tokens = torch.zeros(batch, text.size(1), denoiser().crossAttentionDim());
        long width = denoiser().vectorDim();
        Tensor vector = width == 0 ? null : torch.zeros(batch, width);
        denoiser()
                .predict(
                        latents,
                        torch.zeros(new long[] {batch}, new TensorOptions(torch.ScalarType.Long)),
                        new Condition(tokens, vector));
    }

    @Override
    public void close() {
        Scopes.release(text);
        teacher.close();
    }
}
