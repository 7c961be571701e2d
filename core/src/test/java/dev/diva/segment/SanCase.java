package dev.diva.segment;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.clip.Clip;
import dev.diva.data.RasterImage;
import dev.diva.engine.Tensors;
import dev.diva.testing.Golden;
import dev.diva.testing.Rasters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.DoubleConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One of the two tiny SANs of the golden case {@code san-forward}. */
public final class SanCase {
    private static final Pattern NUMBER = Pattern.compile("(\\d+) heads");
    private static final Pattern BEFORE_RELU =
            Pattern.compile(".*mask_decoder\\.(query|pix|attn)_mlp\\.layers\\.[01]\\.bias");
    /** Of numbers of about ten, summed in another order. */
    private static final double ROUNDING = 1e-6;

    private final String kind;

    /** @param kind large or base */
    public SanCase(String kind) {
        this.kind = kind;
    }

    public static Golden golden() {
        return Golden.of("san-forward");
    }

    /** The names of its runs. */
    public Iterator<String> runs() {
        return sizes().fieldNames();
    }

    /** Original heights and widths of the pictures of each run. */
    public JsonNode sizes() {
        return golden().json("case.json").at("/runs/original (height, width)/" + kind);
    }

    /** Path of the CLIP. */
    public Path clip() {
        return golden().file(kind.equals("large") ? "large" : "base/clip.pt");
    }

    /** Path of the SAN: its authors' own form where the case has one. */
    public Path san() {
        Path own = golden().file(kind + "/san.pth");
        return Files.exists(own) ? own : golden().file(kind + "/adapter.safetensors");
    }

    /** Writes the settings that the case states. */
    public Path settings(Path folder) {
        JsonNode facts = golden().json("case.json").path(kind);
        List<String> fusion = new ArrayList<>();
        facts.path("fusion_map (CLIP output -> side block)").forEach(entry -> {
            String[] ends = entry.asText().split("->");
            fusion.add(ends[1] + ": " + ends[0]);
        });
        Matcher heads = NUMBER.matcher(facts.path("side_vit").asText());
        if (!heads.find()) {
            throw new IllegalStateException("no heads in " + facts.path("side_vit"));
        }
        String yaml = "clipResolution: " + facts.path("clip_resolution") + "\nsideHeads: " + heads.group(1)
                + "\nfusion: {" + String.join(", ", fusion) + "}\nrecognitionLayer: "
                + facts.path("first block of recognition") + "\n";
        try {
            return Files.writeString(folder.resolve(kind + ".yaml"), yaml);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The names of the classes. */
    public static List<String> vocabulary() {
        List<String> names = new ArrayList<>();
        golden().json("case.json").path("vocabulary").forEach(name -> names.add(name.asText()));
        return names;
    }

    /**
     * A value that enters a ReLU within rounding of 0 may fall on either side, and gradients differ by all of its share. So the biases of the
     * layers before, see {@link #isBeforeRelu}, may be moved by a rounding or a few, where the tolerance is not met as they are.
     */
    public static void onEitherSideOfAKink(DoubleConsumer check) {
        AssertionError first = null;
        for (double shift : new double[] {0, -ROUNDING, ROUNDING, -3 * ROUNDING, 3 * ROUNDING}) {
            try {
                check.accept(shift);
                return;
            } catch (AssertionError e) {
                first = first == null ? e : first;
            }
        }
        throw first;
    }

    /** Whether a parameter is the bias of a layer with a ReLU behind it. */
    public static boolean isBeforeRelu(String parameter) {
        return BEFORE_RELU.matcher(parameter).matches();
    }

    /** Unit vectors of the vocabulary, from the text tower where the case has them from there. */
    public float[][] classes(Clip clip) {
        Golden golden = golden();
        if (kind.equals("large")) {
            return new TextClasses().vectors(clip, vocabulary());
        }
        int count = Math.toIntExact(golden.input("base.classes").size(0));
        float[] all = Tensors.toFloats(golden.input("base.classes"));
        float[][] rows = new float[count][all.length / count];
        for (int i = 0; i < count; i++) {
            System.arraycopy(all, i * rows[i].length, rows[i], 0, rows[i].length);
        }
        return rows;
    }

    /** The resized pictures of a run. */
    public List<RasterImage> images(String run) {
        List<RasterImage> images = new ArrayList<>();
        for (int i = 0; i < sizes().path(run).size(); i++) {
            images.addAll(Rasters.of(
                    golden().input(kind + "." + run + ".image_u8." + i).unsqueeze(0)));
        }
        return images;
    }
}
