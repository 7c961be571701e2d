package dev.diva.posttrain.run;

import dev.diva.diffusion.Autoencoder;
import dev.diva.diffusion.AutoencoderModel;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.diffusion.flux.FluxDenoiser;
import dev.diva.engine.Placement;
import dev.diva.posttrain.recipe.Recipe;
import java.nio.file.Path;
import java.util.List;

/**
 * What makes the latents of a recipe, without what else the objective needs.
 *
 * @param latentMultiple what height and width of a latent must be a multiple of
 * @param largestLatent what they are at most
 * @param files of the autoencoder
 * @param notes what was passed over in the configuration: a line each, for people
 * @param closing frees it
 */
record LatentMaker(
        Autoencoder autoencoder,
        long latentMultiple,
        long largestLatent,
        List<Path> files,
        List<String> notes,
        Runnable closing)
        implements AutoCloseable {
    static LatentMaker load(Recipe recipe, Placement placement) {
        Path path = Path.of(recipe.diffusion());
        if (recipe.objective() == Recipe.ObjectiveName.GENHANCER) {
            AutoencoderModel alone = AutoencoderModel.load(path, placement);
            return new LatentMaker(
                    alone.autoencoder(),
                    FluxDenoiser.PATCH,
                    Long.MAX_VALUE,
                    alone.files(),
                    alone.notes(),
                    alone::close);
        }
        DiffusionModel teacher = DiffusionModel.load(path, placement);
        return new LatentMaker(
                teacher.autoencoder(),
                teacher.latentMultiple(),
                teacher.largestLatent(),
                Autoencoders.filesOf(teacher),
                teacher.notes(),
                teacher::close);
    }

    @Override
    public void close() {
        closing.run();
    }
}
