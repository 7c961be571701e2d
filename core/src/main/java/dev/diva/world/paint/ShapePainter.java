package dev.diva.world.paint;

import dev.diva.world.scene.Attribute;
import dev.diva.world.scene.Thing;
import java.awt.Color;
import java.awt.Shape;
import java.util.random.RandomGenerator;

/** What hangs in the air: arrows, stars, fish. */
final class ShapePainter {
    private static final double[] TURN = {180, 0, 270, 90};
    private static final double MIDDLE = -10;

    private ShapePainter() {}

    static void arrow(Brush brush, Thing arrow, Color color) {
        Shape right = Brush.polygon(-9, -13, 0, -13, 0, -18, 9.5, MIDDLE, 0, -2, 0, -7, -9, -7);
        flatFigure(brush, Brush.turned(right, TURN[arrow.value(Attribute.POINTING)], 0, MIDDLE), arrow, color);
    }

    static void star(Brush brush, Thing star, Color color) {
        double[] points = new double[20];
        for (int i = 0; i < 10; i++) {
            double radius = i % 2 == 0 ? 10 : 4.6;
            double angle = Math.toRadians(36.0 * i - 90);
            points[2 * i] = radius * StrictMath.cos(angle);
            points[2 * i + 1] = MIDDLE + 0.6 + radius * StrictMath.sin(angle);
        }
        flatFigure(brush, Brush.polygon(points), star, color);
    }

    static void fish(Brush brush, Thing fish, Color color, RandomGenerator random) {
        Brush side = fish.value(Attribute.FACING) == 0 ? brush.at(0, 0, -1, 1) : brush;
        double tail = random.nextDouble(-0.8, 0.8);
        side.body(
                Brush.polygon(-4, MIDDLE, -10, -15.5 + tail, -8.4, MIDDLE, -10, -4.5 + tail),
                Palette.darker(color, 0.08));
        side.body(Brush.polygon(-3, -14, 2, -17.5, 4, -13), Palette.darker(color, 0.08));
        Shape body = Brush.ellipse(1.5, MIDDLE, 16.5, 10.5);
        side.body(body, color);
        if (fish.value(Attribute.MARKING) == 0) {
            stripes(side.within(body), color, -3.4, 0.4);
            side.outline(body, Palette.darker(color, 0.62), Brush.LINE);
        }
        side.flat(Brush.ellipse(6, -11.4, 3.4, 3.4), Color.WHITE);
        side.flat(Brush.ellipse(6.5, -11.4, 1.9, 1.9), Palette.INK);
        side.outline(Brush.arc(9, -8.6, 3, 2, 180, 80), Palette.darker(color, 0.62), 0.7);
    }

    private static void stripes(Brush brush, Color color, double... lefts) {
        Color stripe = Stripes.against(color);
        for (double left : lefts) {
            brush.flat(Brush.rectangle(left, -18, 1.9, 16), stripe);
        }
    }

    /** A filled figure, or its coloured outline with the background showing through. */
    private static void flatFigure(Brush brush, Shape figure, Thing thing, Color color) {
        if (thing.value(Attribute.FILL) == 0) {
            brush.body(figure, color);
        } else {
            brush.outline(figure, Palette.darker(color, 0.66), 3.1);
            brush.outline(figure, color, 1.8);
        }
    }
}
