package dev.diva.world.scene;

/** The nine visual patterns of MMVP-VLM, in the benchmark's order and under its titles. */
public enum Pattern {
    ORIENTATION("Orientation and Direction"),
    PRESENCE("Presence of Specific Features"),
    STATE("State and Condition"),
    COUNT("Quantity and Count"),
    POSITION("Positional and Relational Context"),
    COLOR("Color and Appearance"),
    STRUCTURE("Structural Characteristics"),
    TEXT("Texts"),
    VIEWPOINT("Viewpoint and Perspective");

    private final String title;

    Pattern(String title) {
        this.title = title;
    }

    /** The type column of Questions.csv and the folder of the pattern's images. */
    public String title() {
        return title;
    }
}
