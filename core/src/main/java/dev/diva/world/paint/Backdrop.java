package dev.diva.world.paint;

import dev.diva.world.scene.Background;
import java.awt.Color;
import java.awt.Shape;
import java.awt.geom.Path2D;
import java.util.random.RandomGenerator;

/** The backgrounds, on a canvas of 48 x 48 units. What varies (horizon, clouds, moon, wallpaper) is drawn from the scene's look. */
final class Backdrop {
    static final double SIDE = 48;

    private final Brush brush;
    private final RandomGenerator random;

    private Backdrop(Brush brush, RandomGenerator random) {
        this.brush = brush;
        this.random = random;
    }

    static void paint(Background background, Brush brush, RandomGenerator random) {
        Backdrop backdrop = new Backdrop(brush, random);
        switch (background) {
            case SKY -> backdrop.sky();
            case SEA -> backdrop.sea();
            case SNOW -> backdrop.snow();
            case SAND -> backdrop.sand();
            case NIGHT -> backdrop.night();
            case INDOORS -> backdrop.indoors();
        }
    }

    private void sky() {
        brush.shade(band(0, SIDE), new Color(92, 176, 240), new Color(214, 238, 252));
        for (int i = 0; i < 3; i++) {
            cloud(16.0 * i + random.nextDouble(16), random.nextDouble(4, 16), random.nextDouble(0.7, 1.1));
        }
        double horizon = random.nextDouble(33, 36);
        brush.shade(hill(horizon - 2, 2.5), new Color(150, 204, 120), new Color(120, 186, 100));
        brush.shade(hill(horizon + 2, 1.5), new Color(136, 198, 96), new Color(84, 158, 74));
        for (int i = 0; i < 6; i++) {
            brush.flat(
                    Brush.ellipse(random.nextDouble(SIDE), random.nextDouble(41, 47), 1, 1),
                    Palette.clear(Color.WHITE, 0.8));
        }
    }

    private void sea() {
        double horizon = random.nextDouble(17, 21);
        brush.shade(band(0, horizon), new Color(140, 206, 236), new Color(252, 232, 206));
        brush.shade(band(horizon, SIDE - horizon), new Color(64, 168, 190), new Color(22, 96, 142));
        for (int i = 0; i < 16; i++) {
            double y = random.nextDouble(horizon + 1.5, 39);
            double x = random.nextDouble(-2, SIDE);
            double width = 3 + (y - horizon) / 4;
            brush.outline(Brush.arc(x, y, width, 1.8, 200, 140), Palette.clear(Color.WHITE, 0.5), 0.7);
        }
        Color plank = new Color(176, 134, 98);
        brush.shade(band(40, 8), Palette.lighter(plank, 0.2), Palette.darker(plank, 0.2));
        for (double x = random.nextDouble(6); x < SIDE; x += 6.5) {
            brush.line(x, 40, x + (x - SIDE / 2) * 0.16, SIDE, Palette.darker(plank, 0.4), 0.6);
        }
        brush.line(0, 40, SIDE, 40, Palette.darker(plank, 0.5), 0.8);
    }

    private void snow() {
        brush.shade(band(0, SIDE), new Color(168, 190, 214), new Color(228, 236, 244));
        double horizon = random.nextDouble(29, 32);
        for (int i = 0; i < 5; i++) {
            fir(10.0 * i + random.nextDouble(8), horizon + 1, random.nextDouble(7, 12));
        }
        brush.shade(hill(horizon, 1.5), new Color(250, 252, 255), new Color(206, 220, 238));
        brush.shade(hill(horizon + 7, 1.5), new Color(244, 248, 254), new Color(190, 208, 232));
        for (int i = 0; i < 22; i++) {
            double size = random.nextDouble(0.7, 1.5);
            brush.flat(
                    Brush.ellipse(random.nextDouble(SIDE), random.nextDouble(SIDE), size, size),
                    Palette.clear(Color.WHITE, 0.85));
        }
    }

    private void sand() {
        brush.shade(band(0, SIDE), new Color(250, 196, 140), new Color(255, 236, 196));
        double sun = random.nextDouble(6, 42);
        brush.glow(sun, 9, 6, new Color(255, 250, 214));
        brush.flat(Brush.ellipse(sun, 9, 5.6, 5.6), new Color(255, 250, 224));
        double horizon = random.nextDouble(25, 29);
        brush.shade(hill(horizon, 4), new Color(228, 176, 112), new Color(214, 156, 92));
        brush.shade(hill(horizon + 7, 3), new Color(240, 198, 134), new Color(222, 170, 104));
        for (int i = 0; i < 4; i++) {
            double y = random.nextDouble(38, 47);
            double x = random.nextDouble(-4, SIDE - 8);
            brush.outline(Brush.arc(x + 6, y, 14, 2, 20, 140), Palette.clear(new Color(188, 132, 76), 0.6), 0.7);
        }
    }

    private void night() {
        brush.shade(band(0, SIDE), new Color(18, 22, 58), new Color(84, 72, 128));
        for (int i = 0; i < 18; i++) {
            double size = random.nextDouble(0.6, 1.1);
            brush.flat(
                    Brush.ellipse(random.nextDouble(SIDE), random.nextDouble(30), size, size),
                    Palette.clear(new Color(255, 250, 224), 0.8));
        }
        double moon = random.nextDouble(6, 42);
        brush.glow(moon, 8, 6.5, new Color(190, 196, 255));
        Shape disc = Brush.ellipse(moon, 8, 7, 7);
        brush.flat(disc, new Color(248, 244, 216));
        brush.within(disc).flat(Brush.ellipse(moon + 2, 7, 6.4, 6.4), new Color(40, 42, 88));
        double horizon = random.nextDouble(32, 35);
        brush.shade(hill(horizon, 2.5), new Color(48, 56, 96), new Color(40, 46, 84));
        brush.shade(hill(horizon + 4, 1.5), new Color(58, 74, 104), new Color(32, 42, 74));
    }

    private void indoors() {
        Color[] walls = {
            new Color(244, 222, 196), new Color(214, 228, 204), new Color(240, 210, 206), new Color(208, 220, 232)
        };
        Color wall = walls[random.nextInt(walls.length)];
        double floor = random.nextDouble(33, 36);
        brush.shade(band(0, floor), Palette.lighter(wall, 0.25), wall);
        for (double x = random.nextDouble(6); x < SIDE; x += 6) {
            brush.line(x, 0, x, floor, Palette.clear(Color.WHITE, 0.28), 1.6);
        }
        Color wood = new Color(192, 142, 96);
        brush.shade(band(floor, SIDE - floor), Palette.darker(wood, 0.14), Palette.lighter(wood, 0.12));
        for (double y = floor + 3; y < SIDE; y += 3.5) {
            brush.line(0, y, SIDE, y, Palette.clear(Palette.darker(wood, 0.5), 0.5), 0.5);
        }
        brush.flat(band(floor - 1.6, 1.9), new Color(252, 248, 240));
        brush.line(0, floor + 0.4, SIDE, floor + 0.4, Palette.darker(wood, 0.5), 0.5);
        window(random.nextBoolean() ? random.nextDouble(3, 8) : random.nextDouble(27, 33), random.nextDouble(4, 7));
    }

    private void window(double x, double y) {
        Color frame = new Color(252, 248, 240);
        Shape pane = Brush.rectangle(x, y, 12, 12);
        brush.shade(pane, new Color(150, 206, 242), new Color(222, 242, 250));
        brush.outline(pane, Palette.darker(frame, 0.25), 2.4);
        brush.outline(pane, frame, 1.5);
        brush.line(x + 6, y, x + 6, y + 12, frame, 1);
        brush.line(x, y + 6, x + 12, y + 6, frame, 1);
    }

    private void cloud(double x, double y, double size) {
        Color white = Palette.clear(Color.WHITE, 0.85);
        brush.flat(Brush.ellipse(x, y, 10 * size, 3.4 * size), white);
        brush.flat(Brush.ellipse(x - 1.6 * size, y - 1.4 * size, 4.6 * size, 4 * size), white);
        brush.flat(Brush.ellipse(x + 1.9 * size, y - 1 * size, 4 * size, 3.2 * size), white);
    }

    private void fir(double x, double foot, double height) {
        Color green = Palette.mix(new Color(70, 112, 104), new Color(200, 214, 226), random.nextDouble(0.1, 0.5));
        brush.flat(Brush.polygon(x - height * 0.3, foot, x, foot - height, x + height * 0.3, foot), green);
    }

    /** Ground below a soft curve about a height. */
    private Shape hill(double height, double swing) {
        Path2D path = new Path2D.Double();
        path.moveTo(0, height + random.nextDouble(-swing, swing));
        path.curveTo(
                16,
                height + random.nextDouble(-swing, swing) * 2,
                32,
                height + random.nextDouble(-swing, swing) * 2,
                SIDE,
                height + random.nextDouble(-swing, swing));
        path.lineTo(SIDE, SIDE);
        path.lineTo(0, SIDE);
        path.closePath();
        return path;
    }

    private static Shape band(double top, double height) {
        return Brush.rectangle(0, top, SIDE, height);
    }
}
