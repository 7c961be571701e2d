package dev.diva.world.paint;

import java.awt.Color;
import java.util.random.RandomGenerator;

/** The colours that captions name, and what is made of a colour: lighter, darker, a shade beside it. */
final class Palette {
    static final Color INK = new Color(38, 34, 54);

    private Palette() {}

    /** The colour that a word of a caption names. */
    static Color named(String word) {
        return switch (word) {
            case "red" -> new Color(222, 62, 58);
            case "yellow" -> new Color(250, 210, 66);
            case "green" -> new Color(66, 166, 84);
            case "blue" -> new Color(60, 112, 218);
            case "purple" -> new Color(150, 82, 190);
            case "white" -> new Color(246, 243, 236);
            case "orange" -> new Color(236, 146, 62);
            case "grey" -> new Color(140, 146, 158);
            case "black" -> new Color(58, 54, 66);
            default -> throw new IllegalArgumentException("no colour is called " + word);
        };
    }

    /** Towards white, by a share of 0 to 1. */
    static Color lighter(Color color, double share) {
        return mix(color, Color.WHITE, share);
    }

    /** Towards a dark violet, by a share of 0 to 1: softer than black. */
    static Color darker(Color color, double share) {
        return mix(color, INK, share);
    }

    static Color mix(Color a, Color b, double share) {
        return new Color(
                part(a.getRed(), b.getRed(), share),
                part(a.getGreen(), b.getGreen(), share),
                part(a.getBlue(), b.getBlue(), share));
    }

    static Color clear(Color color, double opacity) {
        return new Color(color.getRed(), color.getGreen(), color.getBlue(), (int) Math.round(255 * opacity));
    }

    /** A shade near the colour: still what its name says. */
    static Color near(Color color, RandomGenerator random) {
        int light = random.nextInt(-8, 9);
        return new Color(
                clamp(color.getRed() + light + random.nextInt(-6, 7)),
                clamp(color.getGreen() + light + random.nextInt(-6, 7)),
                clamp(color.getBlue() + light + random.nextInt(-6, 7)));
    }

    /** How bright a colour looks, 0 to 255. */
    static double brightness(Color color) {
        return 0.299 * color.getRed() + 0.587 * color.getGreen() + 0.114 * color.getBlue();
    }

    private static int part(int a, int b, double share) {
        return clamp((int) Math.round(a + (b - a) * share));
    }

    private static int clamp(int value) {
        return Math.max(0, Math.min(255, value));
    }
}
