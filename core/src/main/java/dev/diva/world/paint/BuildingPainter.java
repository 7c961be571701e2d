package dev.diva.world.paint;

import dev.diva.world.scene.Attribute;
import dev.diva.world.scene.Thing;
import java.awt.Color;
import java.awt.Shape;
import java.util.random.RandomGenerator;

/** Houses, doors and signs. */
final class BuildingPainter {
    private static final Color ROOF = new Color(96, 84, 104);
    private static final Color BRICK = new Color(170, 92, 74);
    private static final Color WOOD = new Color(132, 94, 66);
    private static final Color PANE = new Color(255, 236, 164);

    private BuildingPainter() {}

    static void house(Brush brush, Thing house, Color color, RandomGenerator random) {
        boolean doorLeft = random.nextBoolean();
        if (house.value(Attribute.CHIMNEY) == 0) {
            brush.body(Brush.rectangle(3.4, -19, 4, 9), BRICK);
            brush.body(Brush.rectangle(2.7, -20, 5.4, 2), Palette.darker(BRICK, 0.2));
        }
        Shape roof = switch (house.value(Attribute.ROOF)) {
            case 0 -> Brush.polygon(-10, -10, 0, -19, 10, -10);
            case 1 -> Brush.rectangle(-9.6, -13, 19.2, 3);
            default -> Brush.arc(0, -10, 18, 16, 0, 180);
        };
        brush.body(roof, ROOF);
        brush.body(Brush.rectangle(-8.5, -10.5, 17, 10.5), color);
        double door = doorLeft ? -5.8 : 1.4;
        brush.body(Brush.rectangle(door, -6.8, 4.4, 6.8), WOOD);
        double window = doorLeft ? 1.6 : -6;
        brush.body(Brush.rectangle(window, -7.6, 4.4, 4), PANE);
        brush.line(window + 2.2, -7.4, window + 2.2, -3.8, WOOD, 0.6);
    }

    static void door(Brush brush, Thing door, Color color) {
        brush.body(Brush.rectangle(-6.8, -19.5, 12.6, 19.5), Palette.lighter(WOOD, 0.35));
        if (door.value(Attribute.OPENING) == 0) {
            brush.shade(Brush.rectangle(-5, -17.8, 9, 17.8), Palette.darker(WOOD, 0.85), Palette.darker(WOOD, 0.6));
            brush.body(Brush.polygon(-5, -17.8, -10, -19, -10, 1, -5, 0), color);
            brush.flat(Brush.ellipse(-8.8, -8.6, 1.5, 1.7), PANE);
        } else {
            brush.body(Brush.rectangle(-5, -17.8, 9, 17.8), color);
            brush.outline(Brush.rectangle(-3.2, -16, 5.4, 5.4), Palette.darker(color, 0.4), 0.8);
            brush.outline(Brush.rectangle(-3.2, -7.4, 5.4, 5.4), Palette.darker(color, 0.4), 0.8);
            brush.flat(Brush.ellipse(2.6, -8.8, 1.7, 1.7), Palette.darker(color, 0.75));
        }
        if (door.value(Attribute.LAMP) == 0) {
            brush.glow(8.4, -13.4, 5, PANE);
            brush.line(6, -16.4, 8.4, -17, Palette.INK, 1);
            brush.body(Brush.polygon(6.6, -15.8, 10.2, -15.8, 9.5, -10.8, 7.3, -10.8), new Color(255, 214, 84));
        }
    }

    static void sign(Brush brush, Thing sign, Color color) {
        brush.body(Brush.rectangle(-1, -6, 2, 6), WOOD);
        Shape board = sign.value(Attribute.BOARD) == 0
                ? Brush.ellipse(0, -12.3, 16, 16)
                : Brush.rounded(-7.4, -19.6, 14.8, 14.6, 1);
        brush.body(board, color);
        char text = Attribute.TEXT.lastWord(sign.value(Attribute.TEXT)).charAt(0);
        Color pen = Palette.brightness(color) > 175 ? Palette.INK : Color.WHITE;
        brush.outline(Glyphs.glyph(text, 0, -12.3, 8.6), pen, 1.7);
    }
}
