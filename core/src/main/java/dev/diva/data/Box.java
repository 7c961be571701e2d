package dev.diva.data;

/** A rectangle of pixels, in torchvision's order of values. */
public record Box(int top, int left, int height, int width) {
    void requireInside(int imageWidth, int imageHeight) {
        if (top < 0 || left < 0 || height < 1 || width < 1 || top + height > imageHeight || left + width > imageWidth) {
            throw new IllegalArgumentException(this + " is outside of an image of " + imageWidth + "x" + imageHeight);
        }
    }
}
