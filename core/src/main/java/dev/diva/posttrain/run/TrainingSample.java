package dev.diva.posttrain.run;

/**
 * A crop, prepared for both models.
 *
 * @param towerPixels see {@link dev.diva.feedback.TrainingPixels#tower}; null where no tower is asked for
 * @param autoencoderPixels see {@link dev.diva.feedback.TrainingPixels#autoencoder}; null where the latent is cached
 * @param key of the latent in a cache: SHA-256 of the crop's bytes; null without a cache
 * @param secondView the crop changed, as towerPixels; null where the method has none
 * @param posterior seed of the noise with which the latent is sampled; null for the mean
 */
record TrainingSample(float[] towerPixels, float[] autoencoderPixels, String key, float[] secondView, Long posterior) {}
