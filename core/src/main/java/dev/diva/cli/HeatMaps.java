package dev.diva.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.clip.Clip;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.data.PngFile;
import dev.diva.data.RasterImage;
import dev.diva.posttrain.recipe.Recipe;
import dev.diva.posttrain.run.RunFiles;
import dev.diva.report.ReportWriter;
import dev.diva.report.Statement;
import dev.diva.segment.HeatMap;
import dev.diva.segment.MaskClip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Where the CLIP of a run sees the statements of the pairs that flipped, before and after training: the cosine of every patch, through the value path
 * of the last attention, with the statement, in {@code heatmaps/} of the run.
 */
final class HeatMaps {
    private HeatMaps() {}

    /**
     * Draws and replaces the folder.
     *
     * @param pairs at most so many, both sides of each
     * @throws BadInputException when no pair flipped, an image is not there, or the run is not finished
     */
    static void write(Path run, int pairs) {
        RunFiles files = new RunFiles(run);
        Recipe recipe = files.recipe().recipe();
        List<Statement> statements = ReportWriter.flippedStatements(run, pairs);
        if (!Files.exists(files.clip())) {
            throw new BadInputException(files.clip() + ": not there, so the run is not finished");
        }
        List<RasterImage> images = statements.stream().map(HeatMaps::image).toList();
        Clip.Options options = Clip.Options.DEFAULT.withThreads(recipe.threads());
        List<HeatMap> before = maps(Path.of(recipe.clip()), options.withFormat(recipe.format()), statements, images);
        List<HeatMap> after = maps(files.clip(), options, statements, images);
        AtomicFolder.replace(
                run.resolve("heatmaps"), HeatMaps::isOurs, folder -> write(folder, statements, images, before, after));
    }

    private static boolean isOurs(Path file) {
        return file.toString().matches("index\\.json|\\d+-(image|before|after)\\.png");
    }

    private static RasterImage image(Statement statement) {
        String name = statement.image().toString();
        return ImageDecoder.reference()
                .decode(ImageEntry.named(name).read(), name)
                .toRgb();
    }

    private static List<HeatMap> maps(
            Path model, Clip.Options options, List<Statement> statements, List<RasterImage> images) {
        List<HeatMap> maps = new ArrayList<>();
        try (Clip clip = Clip.load(model, options)) {
            float[][] texts =
                    clip.embed(statements.stream().map(Statement::text).toList());
            for (int i = 0; i < texts.length; i++) {
                maps.add(new MaskClip(clip, new float[][] {texts[i]}).maps(images.get(i))[0]);
            }
        }
        return maps;
    }

    private static void write(
            Path folder,
            List<Statement> statements,
            List<RasterImage> images,
            List<HeatMap> before,
            List<HeatMap> after)
            throws IOException {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ArrayNode items = root.putArray("items");
        for (int i = 0; i < statements.size(); i++) {
            double low = Math.min(before.get(i).least(), after.get(i).least());
            double high = Math.max(before.get(i).most(), after.get(i).most());
            RasterImage image = images.get(i);
            ObjectNode item = items.addObject();
            put(folder, item, i, "image", image);
            put(folder, item, i, "before", before.get(i).draw(image, low, high));
            put(folder, item, i, "after", after.get(i).draw(image, low, high));
            item.put(
                    "caption",
                    String.format(
                            Locale.ROOT,
                            "Pair %s: \u201c%s\u201d, cosines %.3f (blue) to %.3f (yellow)",
                            statements.get(i).pair(),
                            statements.get(i).text(),
                            low,
                            high));
        }
        Files.writeString(folder.resolve("index.json"), new ObjectMapper().writeValueAsString(root) + "\n");
    }

    private static void put(Path folder, ObjectNode item, int number, String name, RasterImage picture)
            throws IOException {
        String file = number + "-" + name + ".png";
        Files.write(folder.resolve(file), PngFile.bytes(picture));
        item.put(name, file);
    }
}
