import dev.diva.clip.Clip;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;

/** What a program that depends on diva does: an embedding of an image and of a text. */
public final class Consumer {
    private Consumer() {}

    public static void main(String[] arguments) {
        try (Clip clip = Clip.load(Path.of(arguments[0]))) {
            float[] image = clip.embed(new BufferedImage(64, 48, BufferedImage.TYPE_INT_RGB));
            float[] text = clip.embed(List.of("a cat"))[0];
            System.out.println("embeddings of " + image.length + " and " + text.length + " values");
        }
    }
}
