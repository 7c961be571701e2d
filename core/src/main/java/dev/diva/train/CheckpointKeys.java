package dev.diva.train;

/**
 * {@code checkpoint} of a recipe.
 *
 * @param every steps between two
 * @param keep how many are kept
 */
public record CheckpointKeys(long every, int keep) {
    public CheckpointKeys {
        RecipeChecks.atLeast("checkpoint.every", every, 1);
        RecipeChecks.atLeast("checkpoint.keep", keep, 1);
    }
}
