package dev.diva.train.run;

import dev.diva.BadInputException;
import dev.diva.engine.Precision;
import dev.diva.train.Sha256;
import dev.diva.train.recipe.Recipe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Tells apart what makes latents. */
final class Autoencoders {
    private Autoencoders() {}

    /**
     * SHA-256 over the autoencoder's files, the kind of pixels that it gets, and the precision.
     *
     * @param files of the whole diffusion model
     */
    static String identity(List<Path> files, Recipe.Feedback.Pixels pixels, Precision precision) {
        StringBuilder identity = new StringBuilder();
        identity.append(pixels).append(' ').append(precision).append('\n');
        for (Path file : files.stream().sorted().toList()) {
            if (file.getParent().endsWith("vae")) {
                identity.append(hash(file)).append('\n');
            }
        }
        return Sha256.of(identity.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static String hash(Path file) {
        try {
            return Sha256.of(file);
        } catch (IOException e) {
            throw new BadInputException(file + ": cannot be read: " + e, e);
        }
    }
}
