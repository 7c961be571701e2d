package dev.diva.mllm;

import dev.diva.BadInputException;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.GgufWriter;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.clip.TowerSource;
import dev.diva.clip.VisionConfig;
import dev.diva.hub.Models;
import dev.diva.model.Activation;
import dev.diva.model.TransformerConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;

/**
 * The eyes of a LLaVA as llama.cpp reads them beside its language model: tower up to the layer that is looked at, and projector, in one GGUF
 * file. Keys and names are those of llama.cpp's converter for LLaVA-1.5, which every version of it reads.
 */
public final class MmprojFile {
    private static final String ORDER =
            "llama.cpp since May 2025 takes the class token for the last patch, so that its image tokens are others"
                    + " than the LLaVA's, until one line of it is mended: GGUF in docs/checkpoints.md";
    private static final Pattern LAYER =
            Pattern.compile("vision_model\\.encoder\\.layers\\.(\\d+)\\.(.+)\\.(weight|bias)");
    private static final Map<String, String> PARTS_OF_LAYER = Map.of(
            "self_attn.q_proj", "attn_q",
            "self_attn.k_proj", "attn_k",
            "self_attn.v_proj", "attn_v",
            "self_attn.out_proj", "attn_out",
            "layer_norm1", "ln1",
            "layer_norm2", "ln2",
            "mlp.fc1", "ffn_down", // the converter's names; llama.cpp tells by the shape which is which
            "mlp.fc2", "ffn_up");
    private static final Map<String, String> OTHERS = Map.of(
            "vision_model.embeddings.class_embedding", "v.class_embd",
            "vision_model.embeddings.patch_embedding.weight", "v.patch_embd.weight",
            "vision_model.embeddings.position_embedding.weight", "v.position_embd.weight",
            "vision_model.pre_layrnorm.weight", "v.pre_ln.weight",
            "vision_model.pre_layrnorm.bias", "v.pre_ln.bias");

    private final LlavaFolder llava;
    private final TowerSource tower;
    private final Dtype dtype;
    private final int layers; // that are run
    private final Map<String, TensorInfo> sources = new LinkedHashMap<>(); // by name in the file
    private final TensorSource projector;

    private MmprojFile(LlavaFolder llava, TowerSource tower, Dtype dtype) {
        this.llava = llava;
        this.tower = tower;
        this.dtype = dtype;
        this.layers = layers();
        this.projector = llava.withoutTower();
        for (TensorInfo info : tower.parts()) {
            String name = nameOf(info.name());
            if (name != null) {
                sources.put(name, info);
            }
        }
        for (TensorInfo info : projector.tensors()) {
            if (info.name().startsWith(LlavaNames.PROJECTOR)) {
                sources.put("mm." + info.name().substring(LlavaNames.PROJECTOR.length()), info);
            }
        }
    }

    /**
     * Writes a file, which appears complete or not at all.
     *
     * @param llava folder of either layout
     * @param wish the tower: a CLIP, {@code config}, {@code checkpoint}, or null for the LLaVA's only one
     * @param format layout of that CLIP, or null to find it
     * @param dtype fp32, or fp16 of matrices and kernels; norms and biases are fp32
     * @param overwrite whether another GGUF file is replaced
     * @return what was assumed of the tower because no file tells it, and what llama.cpp makes of the file, a line each
     * @throws BadInputException when llama.cpp would compute something else, or a value is too large for fp16
     */
    public static List<String> write(
            Path llava, String wish, CheckpointFormat format, Dtype dtype, Path out, boolean overwrite) {
        try (LlavaFolder folder = LlavaFolder.open(llava, null);
                TowerSource tower = new Towers(folder, format).open(wish)) {
            MmprojFile file = new MmprojFile(folder, tower, dtype);
            List<TensorInfo> infos = new ArrayList<>();
            file.sources.forEach((name, info) -> infos.add(file.stored(name, info.shape())));
            GgufWriter.write(out, file.values(), infos, file::tensor, overwrite);
            List<String> notes = new ArrayList<>(tower.notes());
            notes.add(ORDER);
            return notes;
        }
    }

    private int layers() {
        LlavaConfig config = llava.config();
        if (config.withClassToken()) {
            throw new BadInputException(llava.folder() + ": looks at the class token too, which llama.cpp leaves out");
        }
        int all = tower.config().transformer().numHiddenLayers();
        long last = config.selectLayer() < 0 ? all + 1 + config.selectLayer() : config.selectLayer();
        if (last < 1 || last > all) {
            throw new BadInputException(llava.folder() + ": looks at hidden state " + config.selectLayer()
                    + " of the tower, which has " + all + " layers");
        }
        return Math.toIntExact(last);
    }

    /** The name in the file, or null for what is not looked at. */
    private String nameOf(String ours) {
        Matcher layer = LAYER.matcher(ours);
        if (!layer.matches()) {
            return OTHERS.get(ours);
        }
        int number = Integer.parseInt(layer.group(1));
        String part = PARTS_OF_LAYER.get(layer.group(2));
        return number < layers && part != null ? "v.blk." + number + "." + part + "." + layer.group(3) : null;
    }

    private TensorInfo stored(String name, long... shape) {
        boolean isMatrix = shape.length > 1 && name.endsWith(".weight");
        return new TensorInfo(name, isMatrix ? dtype : Dtype.F32, shape);
    }

    private Tensor tensor(TensorInfo wanted) {
        TensorInfo source = sources.get(wanted.name());
        TensorSource file = wanted.name().startsWith("mm.") ? projector : tower.tensors();
        Tensor values = file.readOnce(source.name());
        BrokenWeights.refuse(file.location(), source.name(), values);
        Tensor converted = values.to(wanted.dtype().scalarType());
        if (!converted.isfinite().all().item_bool()) {
            throw new BadInputException(file.location() + ": " + source.name()
                    + " has values that are too large for fp16; say --dtype fp32");
        }
        return converted;
    }

    private Map<String, Object> values() {
        VisionConfig vision = tower.config();
        TransformerConfig shape = vision.transformer();
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("general.architecture", "clip");
        values.put("general.type", "mmproj");
        values.put("general.name", Models.label(llava.folder()));
        values.put("general.description", "image encoder for LLaVA");
        values.put("general.file_type", dtype == Dtype.F32 ? 0 : 1);
        values.put("clip.has_text_encoder", false);
        values.put("clip.has_vision_encoder", true);
        values.put("clip.has_llava_projector", true);
        values.put("clip.projector_type", "mlp");
        values.put("clip.use_gelu", usesGelu(shape.activation()));
        values.put("clip.vision.image_size", (int) vision.imageSize());
        values.put("clip.vision.patch_size", (int) vision.patchSize());
        values.put("clip.vision.embedding_length", (int) shape.hiddenSize());
        values.put("clip.vision.feed_forward_length", (int) shape.intermediateSize());
        values.put("clip.vision.projection_dim", (int) vision.projectionDim());
        values.put("clip.vision.attention.head_count", (int) shape.numAttentionHeads());
        values.put("clip.vision.attention.layer_norm_epsilon", (float) shape.layerNormEps());
        values.put("clip.vision.block_count", layers);
        // Told in so many words: without it llama.cpp would stop one layer before the last of the file.
        values.put("clip.vision.feature_layer", new int[] {layers});
        values.put("clip.vision.image_mean", tower.preprocessing().mean());
        values.put("clip.vision.image_std", tower.preprocessing().std());
        return values;
    }

    private boolean usesGelu(Activation activation) {
        return switch (activation) {
            case QUICK_GELU -> false;
            case GELU, GELU_TANH -> true;
            case SILU ->
                throw new BadInputException(tower.location() + ": its activation is " + activation
                        + ", llama.cpp computes QuickGELU and GELU in a LLaVA's tower");
        };
    }
}
