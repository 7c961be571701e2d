package dev.diva.cli;

import dev.diva.demo.ShippedModels;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import picocli.CommandLine;

/**
 * Loads the classes that commands load, for the JVM that the launcher lets write them into an archive ({@code -XX:ArchiveClassesAtExit}): a
 * picture and a text are encoded and a step is trained by the models that come along. Says nothing.
 */
final class ClassArchive {
    private ClassArchive() {}

    /**
     * Works in an empty folder, the only argument, and exits with a code other than 0 where a command failed: its classes are no use.
     *
     * @throws IOException when the folder cannot be written
     */
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        ShippedModels.unpack(folder);
        Path picture = folder.resolve("picture.jpg");
        ImageIO.write(new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB), "jpg", picture.toFile());
        String clip = folder.resolve("clip").toString();
        String embeddings = folder.resolve("e.safetensors").toString();
        String diffusion = folder.resolve("diffusion").toString();
        String run = folder.resolve("run").toString();
        System.exit(run("encode --text cup", "--clip", clip, "--images", picture.toString(), "--out", embeddings)
                + run(
                        "train --set resolution=48 --set recap.text=mean --set train.steps=1 --set train.batch=1",
                        "--clip",
                        clip,
                        "--diffusion",
                        diffusion,
                        "--images",
                        picture.toString(),
                        "--out",
                        run));
    }

    private static int run(String command, String... paths) {
        String[] arguments = Stream.concat(Arrays.stream(command.split(" ")), Arrays.stream(paths))
                .toArray(String[]::new);
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        CommandLine commands = Main.commandLine(arguments).setOut(nowhere).setErr(nowhere);
        return Main.run(commands, arguments);
    }
}
