package dev.diva.world.paint;

import dev.diva.world.scene.Attribute;
import dev.diva.world.scene.Thing;
import java.awt.Color;
import java.util.random.RandomGenerator;

/** Cars, from the front and from the side. */
final class CarPainter {
    private static final Color GLASS = new Color(186, 222, 240);
    private static final Color TYRE = new Color(52, 50, 60);
    private static final Color LIGHT = new Color(255, 240, 170);

    private CarPainter() {}

    static void car(Brush brush, Thing car, Color color, RandomGenerator random) {
        boolean mirrored = random.nextBoolean();
        if (car.value(Attribute.VIEW) == 0) {
            inFront(brush, color);
        } else {
            inProfile(mirrored ? brush.at(0, 0, -1, 1) : brush, color);
        }
    }

    private static void inFront(Brush brush, Color color) {
        brush.body(Brush.rounded(-7.6, -4, 3.6, 4, 0.8), TYRE);
        brush.body(Brush.rounded(4, -4, 3.6, 4, 0.8), TYRE);
        brush.body(Brush.polygon(-6.6, -9, -4.8, -15.4, 4.8, -15.4, 6.6, -9), color);
        brush.body(Brush.polygon(-5.2, -9.2, -3.9, -13.9, 3.9, -13.9, 5.2, -9.2), GLASS);
        brush.body(Brush.rounded(-8.4, -9.8, 16.8, 7.6, 1.6), color);
        brush.body(Brush.ellipse(-5.6, -6.8, 3.6, 3.6), LIGHT);
        brush.body(Brush.ellipse(5.6, -6.8, 3.6, 3.6), LIGHT);
        brush.flat(Brush.rounded(-2.8, -7.6, 5.6, 2.2, 0.6), Palette.darker(color, 0.7));
        brush.flat(Brush.rounded(-3.2, -4.6, 6.4, 1.6, 0.4), Color.WHITE);
    }

    private static void inProfile(Brush brush, Color color) {
        brush.body(Brush.polygon(-6.6, -8, -4.6, -13.6, 2.6, -13.6, 5.4, -8), color);
        brush.flat(Brush.polygon(-5, -8.4, -3.7, -12.3, -1.3, -12.3, -1.3, -8.4), GLASS);
        brush.flat(Brush.polygon(-0.1, -8.4, -0.1, -12.3, 2, -12.3, 4, -8.4), GLASS);
        brush.body(Brush.rounded(-10, -8.6, 20, 6, 1.8), color);
        brush.flat(Brush.ellipse(9, -6.6, 1.8, 2.2), LIGHT);
        brush.line(-0.7, -8, -0.7, -3.6, Palette.darker(color, 0.4), 0.7);
        wheel(brush, -5.6);
        wheel(brush, 5.6);
    }

    private static void wheel(Brush brush, double x) {
        brush.body(Brush.ellipse(x, -2.5, 5.4, 5.4), TYRE);
        brush.flat(Brush.ellipse(x, -2.5, 2.2, 2.2), new Color(200, 204, 214));
    }
}
