/**
 * The mini world in words and numbers: what a scene holds, how scenes are drawn from seeds, what captions say of them and parse
 * back to, and pairs that differ in one fine attribute. {@link dev.diva.world.paint} makes pictures of them.
 */
package dev.diva.world.scene;
