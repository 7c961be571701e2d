package dev.diva.eval;

import dev.diva.data.ImageEntry;
import java.util.List;

/** An image with its captions. */
public record CaptionedImage(ImageEntry image, List<String> captions) {}
