package dev.diva.mine;

import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.AtomicFolder;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.data.PngFile;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/**
 * Mined pairs as a folder in the format of MMVP-VLM, ready for statements: {@code Questions.csv}, {@code MLLM_VLM_Images/Mined/ID.jpg},
 * and {@code pairs.csv} with where each pair came from. The statements are empty: a person writes what tells the images apart.
 */
public final class PairFolder {
    private static final String TYPE = "Mined";
    private static final String IMAGES = "MLLM_VLM_Images/" + TYPE;
    private static final Set<String> KEPT = Set.of("jpg", "jpeg", "png", "webp");

    private PairFolder() {}

    /** A pair as it lies in the folder: question ids 2n - 1 and 2n. */
    public record Entry(int number, BlindPair pair, List<Path> images, List<String> sources) {}

    /**
     * Copies the images (formats that MMVP-VLM does not know become PNG) and writes the tables.
     *
     * @throws BadInputException when anything is in the folder already, for instance statements that somebody wrote
     */
    public static List<Entry> write(Path folder, List<BlindPair> pairs, List<ImageEntry> images) {
        List<Entry> entries = new ArrayList<>();
        AtomicFolder.write(folder, temporary -> entries.addAll(fill(temporary, pairs, images)));
        return entries.stream()
                .map(entry -> new Entry(
                        entry.number,
                        entry.pair,
                        entry.images.stream()
                                .map(image -> folder.resolve(IMAGES).resolve(image.getFileName()))
                                .toList(),
                        entry.sources))
                .toList();
    }

    private static List<Entry> fill(Path folder, List<BlindPair> pairs, List<ImageEntry> images) {
        List<Entry> entries = new ArrayList<>();
        for (BlindPair pair : pairs) {
            int number = entries.size() + 1;
            ImageEntry first = images.get(pair.first());
            ImageEntry second = images.get(pair.second());
            entries.add(new Entry(
                    number,
                    pair,
                    List.of(copy(folder, 2 * number - 1, first), copy(folder, 2 * number, second)),
                    List.of(first.name(), second.name())));
        }
        AtomicFile.writeString(folder.resolve("pairs.csv"), sources(entries));
        AtomicFile.writeString(folder.resolve("Questions.csv"), questions(entries));
        return entries;
    }

    /** Fails before any work is done when {@link #write} would. */
    public static void requireNew(Path folder) {
        AtomicFolder.requireFree(folder, "choose another --out");
    }

    private static Path copy(Path folder, int id, ImageEntry image) {
        String name = image.name();
        String suffix = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        boolean isKept = KEPT.contains(suffix);
        Path target = folder.resolve(IMAGES).resolve(id + "." + (isKept ? suffix : "png"));
        try {
            Files.createDirectories(target.getParent());
            Files.write(target, isKept ? image.read() : png(image));
        } catch (IOException e) {
            throw new BadInputException(target + ": cannot be written: " + e.getMessage(), e);
        }
        return target;
    }

    private static byte[] png(ImageEntry image) {
        return PngFile.bytes(ImageDecoder.reference().decode(image.read(), image.name()));
    }

    private static String questions(List<Entry> entries) {
        return csv(csv -> {
            csv.printRecord("Question ID", "Type", "Statement");
            for (Entry entry : entries) {
                csv.printRecord(2 * entry.number - 1, TYPE, "");
                csv.printRecord(2 * entry.number, TYPE, "");
            }
        });
    }

    private static String sources(List<Entry> entries) {
        return csv(csv -> {
            csv.printRecord("Pair", "CLIP cosine", "Other cosine", "First", "Second");
            for (Entry entry : entries) {
                csv.printRecord(
                        entry.number,
                        entry.pair.clipCosine(),
                        entry.pair.otherCosine(),
                        entry.sources.get(0),
                        entry.sources.get(1));
            }
        });
    }

    private interface Rows {
        void print(CSVPrinter csv) throws IOException;
    }

    private static String csv(Rows rows) {
        StringWriter text = new StringWriter();
        try (CSVPrinter csv = new CSVPrinter(text, CSVFormat.RFC4180)) {
            rows.print(csv);
        } catch (IOException e) {
            throw new IllegalStateException("a string cannot fail to be written", e);
        }
        return text.toString();
    }
}
