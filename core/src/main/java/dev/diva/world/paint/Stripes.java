package dev.diva.world.paint;

import java.awt.Color;

/** The colour of stripes that are seen on a colour. */
final class Stripes {
    private Stripes() {}

    static Color against(Color color) {
        return Palette.brightness(color) > 175 ? Palette.darker(color, 0.62) : Palette.lighter(color, 0.82);
    }
}
