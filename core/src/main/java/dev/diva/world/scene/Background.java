package dev.diva.world.scene;

/** Where a scene takes place: half of its gist. */
public enum Background {
    SKY("under the sky"),
    SEA("by the sea"),
    SNOW("in the snow"),
    SAND("on the sand"),
    NIGHT("at night"),
    INDOORS("indoors");

    private final String phrase;

    Background(String phrase) {
        this.phrase = phrase;
    }

    /** The words that end every caption of the background. */
    public String phrase() {
        return phrase;
    }
}
