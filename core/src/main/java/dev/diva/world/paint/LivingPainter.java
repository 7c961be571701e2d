package dev.diva.world.paint;

import dev.diva.world.scene.Attribute;
import dev.diva.world.scene.Thing;
import java.awt.Color;
import java.awt.Shape;
import java.awt.geom.QuadCurve2D;
import java.util.random.RandomGenerator;

/** Cats and faces. */
final class LivingPainter {
    private static final Color COLLAR = new Color(24, 186, 196);
    private static final Color BELL = new Color(255, 214, 84);
    private static final Color[] SKIN = {
        new Color(250, 214, 184), new Color(228, 180, 140), new Color(176, 122, 86), new Color(120, 80, 58)
    };
    private static final Color[] HAIR = {
        new Color(54, 42, 44), new Color(122, 76, 44), new Color(226, 176, 84), new Color(186, 84, 48)
    };

    private LivingPainter() {}

    static void cat(Brush brush, Thing cat, Color coat, RandomGenerator random) {
        boolean mirrored = random.nextBoolean();
        boolean collar = cat.value(Attribute.COLLAR) == 0;
        Brush side = mirrored ? brush.at(0, 0, -1, 1) : brush;
        if (cat.value(Attribute.VIEW) == 0) {
            catInFront(side, coat, collar);
        } else {
            catInProfile(side, coat, collar);
        }
    }

    private static void catInFront(Brush brush, Color coat, boolean collar) {
        tail(brush, coat, new QuadCurve2D.Double(4, -2, 11, -2, 9, -9));
        brush.body(Brush.ellipse(0, -4.6, 11, 9.4), coat);
        brush.body(Brush.ellipse(-2.2, -0.8, 3.6, 2.2), Palette.lighter(coat, 0.2));
        brush.body(Brush.ellipse(2.2, -0.8, 3.6, 2.2), Palette.lighter(coat, 0.2));
        brush.body(Brush.polygon(-6, -13, -5.8, -20, -1, -16.5), coat);
        brush.body(Brush.polygon(6, -13, 5.8, -20, 1, -16.5), coat);
        brush.body(Brush.ellipse(0, -12.6, 13, 9.6), coat);
        eye(brush, -2.9, -13.2);
        eye(brush, 2.9, -13.2);
        brush.flat(Brush.polygon(-1, -11.3, 1, -11.3, 0, -10.2), new Color(236, 120, 130));
        if (collar) {
            brush.outline(Brush.arc(0, -10.4, 9, 6, 200, 140), COLLAR, 1.9);
            brush.flat(Brush.ellipse(0, -6.6, 2.4, 2.4), BELL);
        }
    }

    private static void catInProfile(Brush brush, Color coat, boolean collar) {
        tail(brush, coat, new QuadCurve2D.Double(-7, -8, -12, -12, -7.6, -17));
        Color far = Palette.darker(coat, 0.25);
        brush.body(Brush.rounded(-4.6, -5, 2.4, 5, 1), far);
        brush.body(Brush.rounded(3, -5, 2.4, 5, 1), far);
        brush.body(Brush.rounded(-7.2, -5, 2.6, 5, 1), coat);
        brush.body(Brush.rounded(0.6, -5, 2.6, 5, 1), coat);
        brush.body(Brush.ellipse(-1.6, -7.4, 14, 7.6), coat);
        brush.body(Brush.polygon(2.8, -14, 3.4, -19, 6.8, -15.6), coat);
        brush.body(Brush.ellipse(5.6, -12.2, 8, 7.4), coat);
        brush.body(Brush.ellipse(8.8, -10.8, 2.8, 2.4), Palette.lighter(coat, 0.3));
        eye(brush, 6.6, -13);
        if (collar) {
            brush.line(1.8, -9.6, 5.2, -7.4, COLLAR, 1.9);
            brush.flat(Brush.ellipse(5.6, -6.4, 2.4, 2.4), BELL);
        }
    }

    private static void tail(Brush brush, Color coat, Shape tail) {
        brush.outline(tail, Palette.darker(coat, 0.62), 3.2);
        brush.outline(tail, coat, 1.7);
    }

    private static void eye(Brush brush, double x, double y) {
        brush.flat(Brush.ellipse(x, y, 2.5, 2.5), new Color(214, 236, 120));
        brush.flat(Brush.ellipse(x, y, 1.1, 2.2), Palette.INK);
    }

    static void face(Brush brush, Thing face, RandomGenerator random) {
        Color skin = SKIN[random.nextInt(SKIN.length)];
        Color hair = HAIR[random.nextInt(HAIR.length)];
        boolean mirrored = random.nextBoolean();
        boolean smiling = face.value(Attribute.MOOD) == 0;
        boolean glasses = face.value(Attribute.GLASSES) == 0;
        Brush side = mirrored ? brush.at(0, 0, -1, 1) : brush;
        if (face.value(Attribute.VIEW) == 0) {
            faceInFront(side, skin, hair, smiling, glasses);
        } else {
            faceInProfile(side, skin, hair, smiling, glasses);
        }
    }

    private static void faceInFront(Brush brush, Color skin, Color hair, boolean smiling, boolean glasses) {
        brush.body(Brush.ellipse(0, -11.2, 18, 17.4), hair);
        brush.body(Brush.ellipse(-7.8, -8.6, 3, 4), skin);
        brush.body(Brush.ellipse(7.8, -8.6, 3, 4), skin);
        Shape head = Brush.ellipse(0, -8.8, 15.4, 17);
        brush.body(head, skin);
        Brush inside = brush.within(head);
        inside.flat(Brush.ellipse(-1.6, -17, 17, 7.4), hair);
        dot(brush, -3.3, -9.6);
        dot(brush, 3.3, -9.6);
        brush.line(0, -8.2, 0.2, -6.6, Palette.darker(skin, 0.4), 0.9);
        mouth(brush, 0, smiling, skin);
        if (glasses) {
            lens(brush, -3.6);
            lens(brush, 3.6);
            brush.line(-1, -9.8, 1, -9.8, Palette.INK, 1.1);
        }
    }

    private static void faceInProfile(Brush brush, Color skin, Color hair, boolean smiling, boolean glasses) {
        brush.body(Brush.ellipse(-2, -11, 16.6, 17.4), hair);
        brush.body(Brush.polygon(6.2, -10.4, 9.8, -6.4, 5.6, -5.6), skin);
        Shape head = Brush.ellipse(1.2, -8.8, 13, 17);
        brush.body(head, skin);
        brush.flat(Brush.polygon(6.4, -9.6, 9, -6.8, 5.4, -6.2), skin);
        Brush inside = brush.within(head);
        inside.flat(Brush.ellipse(-3.4, -15, 14.6, 12), hair);
        inside.flat(Brush.ellipse(-6.4, -9, 7, 13), hair);
        brush.body(Brush.ellipse(-2.4, -7.8, 3, 4), skin);
        dot(brush, 4.4, -9.8);
        mouth(brush, 3.6, smiling, skin);
        if (glasses) {
            lens(brush, 4.4);
            brush.line(-2, -9.6, 1.8, -9.8, Palette.INK, 1.2);
        }
    }

    private static void dot(Brush brush, double x, double y) {
        brush.flat(Brush.ellipse(x, y, 2, 2.4), Palette.INK);
    }

    private static void lens(Brush brush, double x) {
        brush.flat(Brush.ellipse(x, -9.7, 5.4, 5), Palette.clear(Color.WHITE, 0.45));
        brush.outline(Brush.ellipse(x, -9.7, 5.4, 5), Palette.INK, 1.2);
        dot(brush, x, -9.6);
    }

    private static void mouth(Brush brush, double x, boolean smiling, Color skin) {
        Shape line = smiling ? Brush.arc(x, -5, 7, 5.4, 195, 150) : Brush.arc(x, -1.4, 7, 5.4, 15, 150);
        boolean dark = Palette.brightness(skin) < 145;
        brush.outline(line, dark ? new Color(255, 150, 150) : new Color(150, 36, 50), 1.5);
    }
}
