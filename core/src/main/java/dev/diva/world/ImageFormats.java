package dev.diva.world;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.plugins.jpeg.JPEGImageWriteParam;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Images as the bytes of a file, made by the writers of the JDK whatever others are installed. */
final class ImageFormats {
    private static final String JPEG_TREE = "javax_imageio_jpeg_image_1.0";
    private static final float JPEG_QUALITY = 0.98f;

    private ImageFormats() {}

    static byte[] png(BufferedImage image) {
        ImageWriter writer = writer("png");
        return write(writer, new IIOImage(image, null, null), writer.getDefaultWriteParam());
    }

    /** JPEG with full colour resolution (4:4:4) and quality 0.98, so that small coloured detail survives. */
    static byte[] jpeg(BufferedImage image) {
        ImageWriter writer = writer("jpeg");
        ImageWriteParam settings = new JPEGImageWriteParam(null);
        settings.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        settings.setCompressionQuality(JPEG_QUALITY);
        IIOMetadata metadata = writer.getDefaultImageMetadata(new ImageTypeSpecifier(image), settings);
        try {
            IIOMetadataNode tree = (IIOMetadataNode) metadata.getAsTree(JPEG_TREE);
            NodeList components = tree.getElementsByTagName("componentSpec");
            for (int i = 0; i < components.getLength(); i++) {
                ((Element) components.item(i)).setAttribute("HsamplingFactor", "1");
                ((Element) components.item(i)).setAttribute("VsamplingFactor", "1");
            }
            metadata.setFromTree(JPEG_TREE, tree);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return write(writer, new IIOImage(image, null, metadata), settings);
    }

    private static ImageWriter writer(String format) {
        Iterator<ImageWriter> writers = ImageIO.getImageWritersByFormatName(format);
        while (writers.hasNext()) {
            ImageWriter writer = writers.next();
            if (writer.getClass().getName().startsWith("com.sun.imageio")) {
                return writer;
            }
        }
        throw new IllegalStateException("this Java has no writer of " + format);
    }

    private static byte[] write(ImageWriter writer, IIOImage image, ImageWriteParam settings) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(8192);
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
            writer.setOutput(out);
            writer.write(null, image, settings);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }
}
