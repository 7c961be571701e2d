package dev.diva.world.paint;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Arc2D;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.geom.RoundRectangle2D;

/**
 * The few strokes that all pictures are made of. Things are painted in a box of 20 x 20 units that stands on the origin: x from -10
 * to 10, y from -20 (top) to 0 (ground).
 */
final class Brush {
    static final double LINE = 0.9;

    private final Graphics2D graphics;

    Brush(Graphics2D graphics) {
        this.graphics = graphics;
    }

    /** The same canvas with its origin moved to (x, y) and its unit scaled; negative scales mirror. */
    Brush at(double x, double y, double scaleX, double scaleY) {
        Graphics2D moved = (Graphics2D) graphics.create();
        moved.translate(x, y);
        moved.scale(scaleX, scaleY);
        return new Brush(moved);
    }

    /** The same canvas, clipped to a shape. */
    Brush within(Shape shape) {
        Graphics2D clipped = (Graphics2D) graphics.create();
        clipped.clip(shape);
        return new Brush(clipped);
    }

    /** One even colour. */
    void flat(Shape shape, Color color) {
        graphics.setPaint(color);
        graphics.fill(shape);
    }

    /** From one colour at the top to another at the bottom. */
    void shade(Shape shape, Color top, Color bottom) {
        Rectangle2D box = shape.getBounds2D();
        graphics.setPaint(new GradientPaint(0, (float) box.getMinY(), top, 0, (float) box.getMaxY(), bottom));
        graphics.fill(shape);
    }

    void outline(Shape shape, Color color, double width) {
        graphics.setPaint(color);
        graphics.setStroke(new BasicStroke((float) width, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
        graphics.draw(shape);
    }

    /** A solid part: lit from above, with a dark rim of its own hue. */
    void body(Shape shape, Color color) {
        shade(shape, Palette.lighter(color, 0.22), Palette.darker(color, 0.14));
        outline(shape, Palette.darker(color, 0.62), LINE);
    }

    void line(double x1, double y1, double x2, double y2, Color color, double width) {
        outline(new Line2D.Double(x1, y1, x2, y2), color, width);
    }

    /** A soft shadow on the ground. */
    void shadow(double x, double y, double width, double height) {
        for (int ring = 0; ring < 4; ring++) {
            double size = 1.15 - 0.2 * ring;
            flat(ellipse(x, y, width * size, height * size), Palette.clear(Palette.INK, 0.1));
        }
    }

    /** A soft light. */
    void glow(double x, double y, double radius, Color color) {
        for (int ring = 0; ring < 9; ring++) {
            double size = 2 * radius * (1 - 0.1 * ring);
            flat(ellipse(x, y, size, size), Palette.clear(color, 0.055));
        }
    }

    /** An ellipse by its centre, width and height. */
    static Shape ellipse(double x, double y, double width, double height) {
        return new Ellipse2D.Double(x - width / 2, y - height / 2, width, height);
    }

    static Shape rectangle(double left, double top, double width, double height) {
        return new Rectangle2D.Double(left, top, width, height);
    }

    static Shape rounded(double left, double top, double width, double height, double radius) {
        return new RoundRectangle2D.Double(left, top, width, height, 2 * radius, 2 * radius);
    }

    /** An arc of an ellipse by its centre, width and height; degrees, counter-clockwise from the right. */
    static Shape arc(double x, double y, double width, double height, double start, double extent) {
        return new Arc2D.Double(x - width / 2, y - height / 2, width, height, start, extent, Arc2D.OPEN);
    }

    /** A closed shape through x, y, x, y, ... */
    static Shape polygon(double... points) {
        Path2D path = path(points);
        path.closePath();
        return path;
    }

    /** An open line through x, y, x, y, ... */
    static Path2D path(double... points) {
        Path2D path = new Path2D.Double();
        path.moveTo(points[0], points[1]);
        for (int i = 2; i < points.length; i += 2) {
            path.lineTo(points[i], points[i + 1]);
        }
        return path;
    }

    /** A shape turned about a point, clockwise. */
    static Shape turned(Shape shape, double degrees, double x, double y) {
        return AffineTransform.getRotateInstance(Math.toRadians(degrees), x, y).createTransformedShape(shape);
    }
}
