package dev.diva.posttrain.run;

import dev.diva.engine.Precision;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.train.FileHashes;
import dev.diva.train.Sha256;
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
    static String identity(List<Path> files, FileHashes hashes, Recipe.Feedback.Pixels pixels, Precision precision) {
        StringBuilder identity = new StringBuilder();
        identity.append(pixels).append(' ').append(precision).append('\n');
        List<Path> sorted = files.stream().sorted().toList();
        List<Path> part = sorted.stream()
                .filter(file -> file.toAbsolutePath().getParent().endsWith("vae"))
                .toList();
        for (Path file : part.isEmpty() ? sorted : part) { // an autoencoder alone may lie anywhere
            identity.append(hashes.of(file)).append('\n');
        }
        return Sha256.of(identity.toString().getBytes(StandardCharsets.UTF_8));
    }
}
