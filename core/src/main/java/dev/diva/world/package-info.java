/**
 * The mini world on disk: images, captions, benchmark folders and labels in the formats that the commands read. What scenes are
 * is in {@link dev.diva.world.scene}, how they look in {@link dev.diva.world.paint}.
 */
package dev.diva.world;
