package dev.diva.world.pretrain;

import dev.diva.BadInputException;

/**
 * How long and how fast a small model is trained.
 *
 * @param seed of the initial weights, the order of the images and all draws
 * @param steps of the optimiser (AdamW)
 * @param batch images a step
 * @param lr peak learning rate; rises over the first steps, then falls along a cosine to 0
 */
public record PretrainSettings(long seed, int steps, int batch, double lr) {
    public PretrainSettings {
        if (steps < 1 || batch < 2 || !(lr > 0)) {
            throw new BadInputException("pretraining: steps " + steps + ", batch " + batch + ", lr " + lr
                    + "; expected at least 1 step, 2 images a batch and a rate above 0");
        }
    }
}
