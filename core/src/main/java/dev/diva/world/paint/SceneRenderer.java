package dev.diva.world.paint;

import dev.diva.BadInputException;
import dev.diva.world.scene.Attribute;
import dev.diva.world.scene.Background;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.Thing;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Paints scenes as square RGB images. One renderer serves many threads. */
public final class SceneRenderer {
    /** Side of an image where nothing else is asked for. */
    public static final int SIDE = 48;

    private static final int SMALLEST = 16;
    private static final int LARGEST = 1024;
    private static final Color ROPE = new Color(120, 92, 70);

    private static final Color MOONLIGHT = new Color(150, 156, 222);

    private final int side;

    /**
     * A renderer of images {@code side} pixels wide and high.
     *
     * @throws BadInputException if the side is under 16 (nothing could be seen) or over 1024
     */
    public SceneRenderer(int side) {
        if (side < SMALLEST || side > LARGEST) {
            throw new BadInputException("scene size " + side + ": expected " + SMALLEST + " to " + LARGEST
                    + " pixels (48 or 64 are usual)");
        }
        this.side = side;
    }

    /** Pixels on each side of an image. */
    public int side() {
        return side;
    }

    /** The picture of a scene whose fine attributes are all known. */
    public BufferedImage render(Scene scene) {
        if (!scene.isComplete()) {
            throw new BadInputException("scene: cannot be painted before all its fine attributes are known");
        }
        BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = graphics(image);
        paint(scene, new Brush(graphics));
        graphics.dispose();
        return image;
    }

    private Graphics2D graphics(BufferedImage image) {
        Graphics2D graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
        graphics.setRenderingHint(RenderingHints.KEY_RENDERING, RenderingHints.VALUE_RENDER_QUALITY);
        double unit = side / Backdrop.SIDE;
        graphics.scale(unit, unit);
        return graphics;
    }

    /**
     * What each pixel shows, row by row: the place of a thing in the scene, or -1 for the background. Of a pixel on an edge it is what covers
     * half of it or more; shadows, lights and swings belong to the background.
     */
    public int[] things(Scene scene) {
        int[] shown = new int[side * side];
        Arrays.fill(shown, -1);
        SplittableRandom look = new SplittableRandom(scene.look());
        look.split(); // of the background
        List<Place> places = Place.of(scene, look.split());
        for (int i = 0; i < places.size(); i++) {
            BufferedImage alone = new BufferedImage(side, side, BufferedImage.TYPE_INT_ARGB);
            Graphics2D graphics = graphics(alone);
            paint(scene.things().get(i), places.get(i), new Brush(graphics), look.split());
            graphics.dispose();
            int[] packed = alone.getRGB(0, 0, side, side, null, 0, side);
            for (int p = 0; p < packed.length; p++) {
                shown[p] = packed[p] >>> 24 >= 128 ? i : shown[p];
            }
        }
        return shown;
    }

    /** The pixels of a scene, row by row, three bytes (red, green, blue) each. */
    public byte[] rgb(Scene scene) {
        int[] packed = render(scene).getRGB(0, 0, side, side, null, 0, side);
        byte[] bytes = new byte[3 * packed.length];
        for (int i = 0; i < packed.length; i++) {
            bytes[3 * i] = (byte) (packed[i] >> 16);
            bytes[3 * i + 1] = (byte) (packed[i] >> 8);
            bytes[3 * i + 2] = (byte) packed[i];
        }
        return bytes;
    }

    private static void paint(Scene scene, Brush brush) {
        // a stream for each part: changing one thing moves nothing else
        SplittableRandom look = new SplittableRandom(scene.look());
        Backdrop.paint(scene.background(), brush, look.split());
        List<Place> places = Place.of(scene, look.split());
        for (int i = 0; i < places.size(); i++) {
            ground(brush, scene.things().get(i), places.get(i));
            if (scene.background() == Background.NIGHT) {
                Place place = places.get(i);
                brush.glow(place.x(), place.y() - place.size() / 2, place.size() * 0.62, MOONLIGHT);
            }
        }
        for (int i = 0; i < places.size(); i++) {
            paint(scene.things().get(i), places.get(i), brush, look.split());
        }
    }

    private static void paint(Thing thing, Place place, Brush brush, RandomGenerator random) {
        double unit = place.size() / 20;
        paint(brush.at(place.x(), place.y() - lift(thing, place), unit, unit), thing, random);
    }

    /** How far above its foot a floating thing hangs. */
    private static double lift(Thing thing, Place place) {
        return thing.kind().floats() && !place.hung() ? 3 : 0;
    }

    /** The shadow that a thing throws, or the swing that it stands on. */
    private static void ground(Brush brush, Thing thing, Place place) {
        if (!place.hung()) {
            brush.shadow(place.x() + 1, place.y(), place.size() * 0.92, place.size() * 0.2);
        } else if (!thing.kind().floats()) {
            double half = place.size() * 0.56;
            brush.line(place.x() - half, 0, place.x() - half, place.y(), ROPE, 0.8);
            brush.line(place.x() + half, 0, place.x() + half, place.y(), ROPE, 0.8);
            brush.body(Brush.rounded(place.x() - half - 1, place.y() - 0.4, 2 * half + 2, 2, 0.8), ROPE);
        }
    }

    private static void paint(Brush brush, Thing thing, RandomGenerator random) {
        Color color = color(thing, random);
        switch (thing.kind()) {
            case ARROW -> ShapePainter.arrow(brush, thing, color);
            case STAR -> ShapePainter.star(brush, thing, color);
            case FISH -> ShapePainter.fish(brush, thing, color, random);
            case CAT -> LivingPainter.cat(brush, thing, color, random);
            case CUP -> ToyPainter.cup(brush, thing, color);
            case SIGN -> BuildingPainter.sign(brush, thing, color);
            case DOOR -> BuildingPainter.door(brush, thing, color);
            case CAR -> CarPainter.car(brush, thing, color, random);
            case HOUSE -> BuildingPainter.house(brush, thing, color, random);
            case FACE -> LivingPainter.face(brush, thing, random);
            case BLOCKS -> ToyPainter.blocks(brush, thing, color);
            case BALLS -> ToyPainter.balls(brush, thing, color);
            case BOXES -> ToyPainter.boxes(brush, thing, color);
        }
    }

    private static Color color(Thing thing, RandomGenerator random) {
        for (Attribute attribute : List.of(Attribute.COLOR, Attribute.COAT)) {
            if (thing.values().containsKey(attribute)) {
                return Palette.near(Palette.named(attribute.lastWord(thing.value(attribute))), random);
            }
        }
        return Color.WHITE;
    }
}
