package dev.diva.world.paint;

import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Path2D;

/** Letters and digits as strokes, so that no font of the machine is needed. Each fits a box 4 wide and 6 high. */
final class Glyphs {
    private Glyphs() {}

    /** The centre line of a glyph, to be drawn with a pen, centred on (x, y). */
    static Shape glyph(char name, double x, double y, double height) {
        Path2D path = new Path2D.Double();
        for (String stroke : strokes(name).split(";")) {
            append(path, stroke.trim().split(" "));
        }
        AffineTransform place = AffineTransform.getTranslateInstance(x, y);
        place.scale(height / 6, height / 6);
        place.translate(-2, -3);
        return place.createTransformedShape(path);
    }

    /** Strokes parted by semicolons: M x y, L x y, Q cx cy x y, C c1x c1y c2x c2y x y. */
    private static String strokes(char name) {
        return switch (name) {
            case 'k' -> "M 0 0 L 0 6;M 4 0 L 0 3.4;M 1.3 2.4 L 4 6";
            case 'l' -> "M 0.3 0 L 0.3 6 L 4 6";
            case 'o' -> "M 2 0 C -0.7 0 -0.7 6 2 6 C 4.7 6 4.7 0 2 0";
            case 's' -> "M 3.9 1 C 3 -0.5 0.2 -0.3 0.2 1.5 C 0.2 3.2 3.9 2.7 3.9 4.5 C 3.9 6.4 0.9 6.4 0 5";
            case 't' -> "M -0.2 0 L 4.2 0;M 2 0 L 2 6";
            case 'x' -> "M 0 0 L 4 6;M 4 0 L 0 6";
            case '1' -> "M 0.7 1.5 L 2.2 0 L 2.2 6;M 0.7 6 L 3.7 6";
            case '2' -> "M 0.2 1.4 C 0.5 -0.5 3.8 -0.5 3.8 1.7 C 3.8 3.2 1.2 4.4 0.1 6 L 4 6";
            case '3' ->
                "M 0.2 0.9 C 1.2 -0.5 3.7 -0.3 3.7 1.5 C 3.7 2.6 2.6 2.9 1.5 2.9 C 2.8 2.9 4 3.3 4 4.4 C 4 6.4 1 6.5 0 5";
            case '4' -> "M 3.1 6 L 3.1 0 L -0.1 4.1 L 4.3 4.1";
            case '7' -> "M 0 0 L 4 0 L 1.5 6";
            case '8' ->
                "M 2 2.8 C -0.5 2.8 -0.2 0 2 0 C 4.2 0 4.5 2.8 2 2.8 C -0.9 2.8 -0.9 6 2 6 C 4.9 6 4.9 2.8 2 2.8";
            default -> throw new IllegalArgumentException("no glyph is called " + name);
        };
    }

    private static void append(Path2D path, String[] words) {
        int i = 0;
        while (i < words.length) {
            switch (words[i]) {
                case "M" -> path.moveTo(at(words, i + 1), at(words, i + 2));
                case "L" -> path.lineTo(at(words, i + 1), at(words, i + 2));
                default ->
                    path.curveTo(
                            at(words, i + 1),
                            at(words, i + 2),
                            at(words, i + 3),
                            at(words, i + 4),
                            at(words, i + 5),
                            at(words, i + 6));
            }
            i += words[i].equals("C") ? 7 : 3;
        }
    }

    private static double at(String[] words, int index) {
        return Double.parseDouble(words[index]);
    }
}
