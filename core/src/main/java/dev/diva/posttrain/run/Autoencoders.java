package dev.diva.posttrain.run;

import dev.diva.Sha256;
import dev.diva.diffusion.DiffusionModel;
import dev.diva.engine.Precision;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.train.FileHashes;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Tells apart what makes latents. */
final class Autoencoders {
    private Autoencoders() {}

    /** The part of a diffusion model's files. */
    static List<Path> filesOf(DiffusionModel teacher) {
        return teacher.files().stream()
                .filter(file -> file.toAbsolutePath().getParent().endsWith("vae"))
                .toList();
    }

    /** SHA-256 over the autoencoder's files, the kind of pixels that it gets, and the precision. */
    static String identity(List<Path> files, FileHashes hashes, Recipe.Feedback.Pixels pixels, Precision precision) {
        StringBuilder identity = new StringBuilder();
        identity.append(pixels).append(' ').append(precision).append('\n');
        files.stream().sorted().forEach(file -> identity.append(hashes.of(file)).append('\n'));
        return Sha256.of(identity.toString().getBytes(StandardCharsets.UTF_8));
    }
}
