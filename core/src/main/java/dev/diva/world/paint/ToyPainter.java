package dev.diva.world.paint;

import dev.diva.world.scene.Attribute;
import dev.diva.world.scene.Thing;
import java.awt.Color;
import java.awt.Shape;

/** Cups, and groups of two to four blocks, balls or boxes. */
final class ToyPainter {
    /** Feet of two, three and four things that stand together, back row first. */
    private static final double[][] PLACES = {
        {-5, -1, 5, -1},
        {0, -8.6, -5, 0, 5, 0},
        {-4.6, -9, 5.4, -9, -5.4, 0, 4.6, 0},
    };

    /** Side of a block where there are two, three or four. */
    private static final double[] BLOCK_SIZES = {7.6, 5.8, 4.75};

    private ToyPainter() {}

    static void cup(Brush brush, Thing cup, Color color) {
        boolean upright = cup.value(Attribute.STANDING) == 0;
        double rim = upright ? -16 : -1.5;
        double foot = upright ? -1.5 : -16;
        if (cup.value(Attribute.HANDLE) == 0) {
            Shape handle = Brush.ellipse(6.6, (rim + foot) / 2, 6.4, 8);
            brush.outline(handle, Palette.darker(color, 0.62), 3.2);
            brush.outline(handle, color, 1.6);
        }
        Shape wall = Brush.polygon(-7.5, rim, 6.5, rim, 4, foot, -5, foot);
        if (upright) {
            brush.body(Brush.ellipse(-0.5, foot, 9, 2.6), Palette.darker(color, 0.1));
            brush.body(wall, color);
            brush.body(Brush.ellipse(-0.5, rim, 14, 4.6), color);
            brush.flat(Brush.ellipse(-0.5, rim + 0.4, 11.4, 2.8), Palette.darker(color, 0.75));
        } else {
            brush.body(Brush.ellipse(-0.5, rim, 14, 3.2), Palette.darker(color, 0.1));
            brush.body(wall, color);
            brush.body(Brush.ellipse(-0.5, foot, 9, 3.2), Palette.lighter(color, 0.35));
        }
    }

    static void balls(Brush brush, Thing balls, Color color) {
        double[] places = PLACES[balls.value(Attribute.COUNT)];
        for (int i = 0; i < places.length; i += 2) {
            ball(brush, places[i], places[i + 1] - 4.8, balls.value(Attribute.MARKING) == 0, color);
        }
    }

    private static void ball(Brush brush, double x, double y, boolean striped, Color color) {
        Shape ball = Brush.ellipse(x, y, 9.4, 9.4);
        brush.body(ball, color);
        if (striped) {
            Brush inside = brush.within(ball);
            inside.flat(Brush.rectangle(x - 5, y - 1.9, 10, 3), Stripes.against(color));
            brush.outline(ball, Palette.darker(color, 0.62), Brush.LINE);
        }
        brush.flat(Brush.ellipse(x - 1.7, y - 2.6, 2.2, 1.6), Palette.clear(Color.WHITE, 0.75));
    }

    static void boxes(Brush brush, Thing boxes, Color color) {
        double[] places = PLACES[boxes.value(Attribute.COUNT)];
        for (int i = 0; i < places.length; i += 2) {
            box(brush.at(places[i], places[i + 1], 1, 1), boxes.value(Attribute.OPENING) == 0, color);
        }
    }

    private static void box(Brush brush, boolean open, Color color) {
        if (open) {
            brush.flat(Brush.polygon(-4.2, -4.6, -3.4, -7.8, 3.4, -7.8, 4.2, -4.6), Palette.darker(color, 0.9));
            brush.body(Brush.polygon(-4.2, -4.6, -3.4, -7.8, -4.6, -9, -5.6, -6.2), Palette.lighter(color, 0.4));
            brush.body(Brush.polygon(4.2, -4.6, 3.4, -7.8, 4.6, -9, 5.6, -6.2), Palette.lighter(color, 0.4));
        } else {
            brush.body(Brush.polygon(-4.2, -5.6, -3.2, -8, 3.2, -8, 4.2, -5.6), Palette.lighter(color, 0.3));
            brush.flat(Brush.polygon(-0.8, -5.8, -0.6, -7.8, 0.6, -7.8, 0.8, -5.8), Palette.darker(color, 0.45));
        }
        double rim = open ? 4.6 : 5.6;
        brush.body(Brush.rectangle(-4.2, -rim, 8.4, rim), color);
        if (!open) {
            brush.flat(Brush.rectangle(-0.8, -5.4, 1.6, 2), Palette.darker(color, 0.45));
        }
    }

    static void blocks(Brush brush, Thing blocks, Color color) {
        int count = blocks.value(Attribute.COUNT) + 2;
        boolean stack = blocks.value(Attribute.ARRANGEMENT) == 1;
        double size = BLOCK_SIZES[count - 2];
        for (int i = 0; i < count; i++) {
            double along = stack ? 0 : (i - (count - 1) / 2.0) * size;
            double up = stack ? -i * size : 0;
            block(brush.at(along + (stack && i % 2 == 1 ? 0.5 : 0), up, size / 5, size / 5), color);
        }
    }

    private static void block(Brush brush, Color color) {
        brush.body(Brush.polygon(-2.5, -5, -1.3, -6.2, 3.7, -6.2, 2.5, -5), Palette.lighter(color, 0.4));
        brush.body(Brush.polygon(2.5, 0, 2.5, -5, 3.7, -6.2, 3.7, -1.2), Palette.darker(color, 0.3));
        brush.body(Brush.rectangle(-2.5, -5, 5, 5), color);
    }
}
