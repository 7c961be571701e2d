package dev.diva.world.scene;

/** Two scenes of the same gist and look that differ in one fine attribute, and the statements that tell them apart. */
public record ScenePair(Pattern pattern, Scene first, Scene second, Facet differs) {
    /** True of the first scene, false of the second. */
    public String firstStatement() {
        return Captions.statement(first, differs);
    }

    /** True of the second scene, false of the first. */
    public String secondStatement() {
        return Captions.statement(second, differs);
    }
}
