package dev.diva.clip;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.clip.Preprocessing.Interpolation;
import dev.diva.clip.Preprocessing.Resize;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Reads the image processor of transformers, CLIP's and SigLIP's: {@code preprocessor_config.json}, or {@code image_processor} of
 * {@code processor_config.json}, as transformers 5 writes it. What is left out has the library's default.
 */
final class ImageProcessorConfig {
    private static final Set<String> CLIP =
            Set.of("CLIPImageProcessor", "CLIPFeatureExtractor", "BitImageProcessor", "CLIPProcessor");
    private static final Set<String> SIGLIP = Set.of("SiglipImageProcessor", "SiglipProcessor");

    private static final String NAFLEX = "Siglip2ImageProcessor";
    private static final int MOST_PATCHES = 16384; // the attention grows with their square

    /** Keys that name things or say how arrays are handed over; none changes a pixel. */
    private static final Pattern HARMLESS = Pattern.compile(
            "_.*|processor_class|feature_extractor_type|image_processor_type"
                    + "|do_convert_rgb|data_format|input_data_format|return_tensors|device|disable_grouping|default_to_square"
                    + "|image_seq(uence)?_length|num_image_tokens|tokenizer_class|backend|transformers_version|is_fast|use_fast");

    private static final Set<String> READ = Set.of(
            "do_resize",
            "size",
            "resample",
            "do_center_crop",
            "crop_size",
            "do_rescale",
            "rescale_factor",
            "do_normalize",
            "image_mean",
            "image_std",
            "do_pad",
            "patch_size",
            "max_num_patches",
            "use_square_size");

    private static final float[] HALF = {0.5f, 0.5f, 0.5f};

    private final ConfigJson json;
    private final VisionConfig vision;
    private final boolean isSiglip;

    private ImageProcessorConfig(ConfigJson json, VisionConfig vision) {
        this.json = json;
        this.vision = vision;
        String type = json.text("image_processor_type", json.text("feature_extractor_type", ""))
                .replaceFirst("(Fast|Pil)$", "");
        this.isSiglip = type.isEmpty() ? vision.pooling() == VisionConfig.Pooling.MAP : SIGLIP.contains(type);
        if (!type.isEmpty() && !isSiglip && !CLIP.contains(type)) {
            throw json.wrong(
                    json.has("image_processor_type") ? "image_processor_type" : "feature_extractor_type",
                    "CLIPImageProcessor or SiglipImageProcessor");
        }
    }

    /**
     * Reads the settings.
     *
     * @throws dev.diva.BadInputException for a setting that is not followed, naming its key
     */
    static Preprocessing read(ConfigJson json, VisionConfig vision) {
        json.requireOnly(
                Map.of("do_resize", Set.of("true"), "do_pad", Set.of("false"), "use_square_size", Set.of("false")));
        return vision.form().flexible()
                ? flexible(json, vision)
                : new ImageProcessorConfig(json, vision).preprocessing();
    }

    /** Siglip2ImageProcessor. */
    private static Preprocessing flexible(ConfigJson json, VisionConfig vision) {
        String type = json.text("image_processor_type", NAFLEX).replaceFirst("(Fast|Pil)$", "");
        if (!type.equals(NAFLEX)) {
            throw json.wrong("image_processor_type", NAFLEX + ", as of a SigLIP 2 NaFlex");
        }
        json.requireOnly(Map.of(
                "do_rescale", Set.of("true"),
                "do_normalize", Set.of("true"),
                "patch_size", Set.of(Long.toString(vision.patchSize()))));
        double factor = json.positive("rescale_factor", 1.0 / 255);
        if (Math.abs(255 * factor - 1) > 1e-9) {
            throw json.wrong("rescale_factor", "1/255");
        }
        Preprocessing usual = Preprocessing.of(vision, true);
        int count =
                Math.toIntExact(json.number("max_num_patches", usual.patches().count()));
        if (count < 1 || count > MOST_PATCHES) {
            throw json.wrong("max_num_patches", "1 to " + MOST_PATCHES);
        }
        return new Preprocessing(
                usual.resizeTo(),
                usual.imageSize(),
                Resize.SQUASH,
                interpolation(json, 2),
                true,
                json.channels("image_mean", HALF),
                json.channels("image_std", HALF),
                new PatchBudget(usual.patches().side(), count));
    }

    /** Keys that nothing is known of. */
    static List<String> unknownKeys(ConfigJson json) {
        return json.keysOtherThan(
                key -> READ.contains(key) || HARMLESS.matcher(key).matches());
    }

    private Preprocessing preprocessing() {
        JsonNode size = json.node().path("size");
        boolean isShortest = json.has("size") ? isShortest(size) : !isSiglip;
        int resizeTo = Math.toIntExact(
                size.has("shortest_edge") ? json.at("size").number("shortest_edge", 0) : json.side("size", 224));
        boolean crops = json.flag("do_center_crop", !isSiglip);
        if (isShortest && !crops) {
            throw json.wrong("do_center_crop", "true, since size is a shortest_edge and the tower takes squares");
        }
        int imageSize = crops ? Math.toIntExact(json.side("crop_size", isSiglip ? resizeTo : 224)) : resizeTo;
        Preprocessing.requireSize(json, imageSize, vision);
        if (isSiglip && crops && imageSize != resizeTo) {
            throw json.wrong("do_center_crop", "false: SigLIP's processor resizes alone");
        }
        if (imageSize > resizeTo) {
            throw json.wrong("crop_size", "at most size, " + resizeTo + "; margins are not filled");
        }
        double scale = 255 * (json.flag("do_rescale", true) ? json.fraction("rescale_factor", 1.0 / 255) : 1);
        if (scale <= 0) {
            throw json.wrong("rescale_factor", "a number above 0");
        }
        Preprocessing usual = Preprocessing.of(vision, true);
        boolean normalizes = json.flag("do_normalize", true);
        float[] mean = normalizes ? json.channels("image_mean", isSiglip ? HALF : usual.mean()) : new float[3];
        float[] std = normalizes ? json.channels("image_std", isSiglip ? HALF : usual.std()) : new float[] {1, 1, 1};
        return new Preprocessing(
                resizeTo,
                imageSize,
                isShortest ? Resize.SHORTEST_CROP : Resize.SQUASH,
                interpolation(json, 3),
                true,
                divided(mean, scale),
                divided(std, scale));
    }

    private boolean isShortest(JsonNode size) {
        boolean isUnknown = size.isObject() && !size.has("shortest_edge") && !(size.has("height") && size.has("width"));
        if (isUnknown || size.has("longest_edge")) {
            throw json.wrong("size", "a shortest_edge, or height and width");
        }
        return size.isNumber() ? !isSiglip : size.has("shortest_edge");
    }

    /** The pixel values that mean and std are told for are not in 0..1 but scaled: (scale x - mean) / std. */
    private static float[] divided(float[] values, double scale) {
        float[] divided = values.clone();
        for (int i = 0; Math.abs(scale - 1) > 1e-9 && i < divided.length; i++) {
            divided[i] = (float) (values[i] / scale);
        }
        return divided;
    }

    private static Interpolation interpolation(ConfigJson json, long usual) {
        return switch ((int) json.number("resample", usual)) {
            case 1 -> Interpolation.LANCZOS;
            case 2 -> Interpolation.BILINEAR;
            case 3 -> Interpolation.BICUBIC;
            default -> throw json.wrong("resample", "3 (bicubic), 2 (bilinear) or 1 (Lanczos)");
        };
    }
}
