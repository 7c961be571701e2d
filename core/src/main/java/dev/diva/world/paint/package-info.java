/**
 * Pictures of scenes, painted with Java2D alone: no fonts, no image files, no display, so that the same scene gives the same
 * pixels everywhere.
 */
package dev.diva.world.paint;
