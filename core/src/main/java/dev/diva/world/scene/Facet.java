package dev.diva.world.scene;

/**
 * One fine attribute of one scene: which thing has it, and which attribute it is.
 *
 * @param thing index of the thing; 0 for the relation, which belongs to both
 */
public record Facet(int thing, Attribute attribute) {}
