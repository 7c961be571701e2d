package dev.diva.clip;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import dev.diva.checkpoint.BrokenWeights;
import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.ExportRecord;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.checkpoint.format.CheckpointWriter;
import dev.diva.checkpoint.format.ClipCheckpoint;
import dev.diva.checkpoint.format.UniformSource;
import dev.diva.model.Activation;
import dev.diva.model.PublishedVocabulary;
import dev.diva.model.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;

/** Writes a checkpoint in another layout, with the config, preprocessor and tokenizer files that its library looks for. */
public final class ClipExport {
    private static final List<String> TOKENIZER_FILES = List.of(
            "vocab.json",
            "merges.txt",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "spiece.model");
    private static final String PREPROCESSOR = "preprocessor_config.json";
    private static final List<String> CONFIG_FILES =
            List.of("config.json", PREPROCESSOR, "processor_config.json", "open_clip_config.json");

    private static final double OPENAI_EPS = 1e-5;
    private static final List<String> DTYPE_KEYS = List.of("torch_dtype", "dtype"); // the older name first
    private static final ObjectMapper JSON = new ObjectMapper();

    private ClipExport() {}

    /**
     * Writes a folder, which appears complete or not at all.
     *
     * @param overwrite whether an earlier export is replaced; nothing else ever is
     * @throws BadInputException when the layout cannot hold the model, or something else is in the folder
     */
    public static void export(ClipCheckpoint checkpoint, CheckpointFormat to, Path folder, boolean overwrite) {
        export(checkpoint, checkpoint.tensors(), to, folder, overwrite);
    }

    /** The same with other tensors under our names in place of the checkpoint's own, for instance trained ones. */
    public static void export(
            ClipCheckpoint checkpoint, TensorSource trained, CheckpointFormat to, Path folder, boolean overwrite) {
        boolean isMixed = checkpoint.format() != CheckpointFormat.HF || checkpoint.adapter() != null;
        boolean converts = to == CheckpointFormat.HF && isMixed;
        TensorSource tensors = converts ? UniformSource.of(trained) : trained;
        CheckpointWriter.table(tensors, to);
        for (TensorInfo info : tensors.tensors()) {
            try (PointerScope scope = new PointerScope()) {
                BrokenWeights.refuse(checkpoint.file().toString(), info.name(), tensors.readOnce(info.name()));
            }
        }
        ClipFiles files = new ClipFiles(checkpoint);
        ClipConfig config = files.config();
        if (to != checkpoint.format()) {
            requireKnownForm(checkpoint, config, to);
        }
        if (to == CheckpointFormat.OPENAI) {
            requireOpenAi(checkpoint, config);
        }
        boolean keepsTokenizer = to == CheckpointFormat.OPEN_CLIP
                || to == checkpoint.format()
                || (to == CheckpointFormat.HF && files.isLikeMetaClip2(config));
        if (!keepsTokenizer && config.hasText() && files.hasForeignTokenizer()) {
            throw new BadInputException(checkpoint.file() + ": its texts go through another tokenizer than CLIP's"
                    + " (hf_tokenizer_name), and the layout " + to.flag()
                    + " has a place only for those of a MetaCLIP 2"
                    + " (pool_type eos, no tokenizer_kwargs that change texts); choose open_clip");
        }
        ExportRecord.write(folder, overwrite, temporary -> {
            CheckpointWriter.write(temporary.resolve(CheckpointWriter.fileName(to)), tensors, to);
            if (to == checkpoint.format()) {
                copy(CONFIG_FILES, checkpoint.folder(), temporary);
                if (to == CheckpointFormat.HF && !Files.exists(temporary.resolve(PREPROCESSOR))) {
                    writePreprocessing(config, files.preprocessing(config.vision()), temporary); // LLaVA needs one
                }
                if (!dtype(tensors).equals(dtype(checkpoint.tensors()))) {
                    writeDtype(temporary.resolve("config.json"), dtype(tensors));
                }
            } else {
                writeConfigs(tensors, config, files, to, temporary);
            }
            writeTokenizer(checkpoint, config, to, temporary);
        });
    }

    private static void requireKnownForm(ClipCheckpoint checkpoint, ClipConfig config, CheckpointFormat to) {
        boolean isClip = config.vision().isPlainClip();
        boolean knowsImages = isClip || config.vision().isPlainSiglip();
        boolean knowsTexts = !config.hasText()
                || (isClip ? config.text().isPlainClip() : config.text().isPlainSiglip());
        if (!knowsImages || !knowsTexts) {
            throw new BadInputException(checkpoint.file() + ": its " + (knowsImages ? "text" : "image")
                    + " tower is built otherwise than CLIP's and SigLIP's, which the layout " + to.flag()
                    + " has no place for; choose " + checkpoint.format().flag());
        }
    }

    /** What the layout cannot say of a model, or was assumed of it: a line each, for people. */
    public static List<String> notes(ClipCheckpoint checkpoint, CheckpointFormat to) {
        ClipFiles files = new ClipFiles(checkpoint);
        List<String> notes = new ArrayList<>(files.notes());
        VisionConfig vision = files.config().vision();
        boolean losesCleaning = to == CheckpointFormat.HF
                && checkpoint.format() == CheckpointFormat.OPEN_CLIP
                && files.canonicalizes()
                && !SiglipTokenizerFiles.hasPieces(checkpoint.folder());
        if (losesCleaning) {
            notes.add(checkpoint.file() + ": open_clip makes its texts lower case and takes their punctuation, the"
                    + " tokenizer that transformers has for it does not: give transformers texts like that");
        }
        boolean becomesTimm = to == CheckpointFormat.OPEN_CLIP
                && checkpoint.format() != CheckpointFormat.OPEN_CLIP
                && checkpoint.isSiglip()
                && !vision.form().flexible();
        if (becomesTimm) {
            TimmTrunk.notes(vision).forEach(note -> notes.add(checkpoint.file() + ": " + note));
        }
        return notes;
    }

    /** Writes config.json and preprocessor_config.json of transformers, for a model made from nothing. */
    public static void writeConfigs(ClipConfig config, Preprocessing preprocessing, String dtype, Path folder)
            throws IOException {
        ConfigFiles files = new ConfigFiles(config);
        write(folder.resolve("config.json"), files.transformers(dtype, false).toPrettyString());
        writePreprocessing(config, preprocessing, folder);
    }

    private static void writePreprocessing(ClipConfig config, Preprocessing preprocessing, Path folder)
            throws IOException {
        write(
                folder.resolve(PREPROCESSOR),
                new ConfigFiles(config).transformersPreprocessing(preprocessing).toPrettyString());
    }

    private static void writeConfigs(
            TensorSource tensors, ClipConfig config, ClipFiles files, CheckpointFormat to, Path folder)
            throws IOException {
        Preprocessing preprocessing = files.preprocessing(config.vision());
        if (to == CheckpointFormat.HF) {
            write(
                    folder.resolve("config.json"),
                    new ConfigFiles(config)
                            .transformers(dtype(tensors), files.hasForeignTokenizer())
                            .toPrettyString());
            writePreprocessing(config, preprocessing, folder);
        } else if (to == CheckpointFormat.OPEN_CLIP) {
            write(
                    folder.resolve("open_clip_config.json"),
                    new ConfigFiles(config)
                            .openClip(preprocessing, files.stripsPunctuation(), files.hasForeignTokenizer())
                            .toPrettyString());
        }
    }

    private static void write(Path file, String json) throws IOException {
        Files.writeString(file, json + "\n");
    }

    /** OpenAI's code has no config: it takes heads of 64 and QuickGELU for granted. */
    private static void requireOpenAi(ClipCheckpoint checkpoint, ClipConfig config) {
        for (TransformerConfig layers : List.of(
                config.vision().transformer(), config.text().transformer().transformer())) {
            if (layers.activation() != Activation.QUICK_GELU
                    || layers.layerNormEps() != OPENAI_EPS
                    || Math.max(1, layers.hiddenSize() / 64) != layers.numAttentionHeads()) {
                throw new BadInputException(checkpoint.file() + ": OpenAI's code assumes QuickGELU and heads of 64,"
                        + " and norms with an eps of " + OPENAI_EPS + "; this model has " + layers.activation()
                        + " and "
                        + layers.numAttentionHeads() + " heads in a width of " + layers.hiddenSize() + ", and "
                        + layers.layerNormEps() + "; choose hf or open_clip");
            }
        }
    }

    private static void writeTokenizer(ClipCheckpoint checkpoint, ClipConfig config, CheckpointFormat to, Path folder)
            throws IOException {
        if (!config.hasText() || to == CheckpointFormat.OPENAI) {
            return;
        }
        boolean copied = copy(TOKENIZER_FILES, checkpoint.folder(), folder);
        boolean published =
                !checkpoint.isSiglip() && config.text().transformer().vocabSize() == PublishedVocabulary.SIZE;
        if (!copied && published && to == CheckpointFormat.HF) {
            PublishedVocabulary.write(folder, config.text().contextLength());
        }
        if (to == CheckpointFormat.HF && to != checkpoint.format() && new ClipFiles(checkpoint).hasForeignTokenizer()) {
            writeLength(folder.resolve("tokenizer_config.json"), config.text().contextLength());
        }
        if (checkpoint.isSiglip() && to == CheckpointFormat.HF) {
            SiglipTokenizerFiles.complete(
                    folder,
                    new ClipFiles(checkpoint).canonicalizes(),
                    config.text().contextLength());
        }
    }

    /** transformers' processor pads texts to it; of the tokenizer alone it may be longer than the text tower is. */
    private static void writeLength(Path config, int contextLength) throws IOException {
        ObjectNode root = Files.isRegularFile(config) && JSON.readTree(config.toFile()) instanceof ObjectNode node
                ? node
                : JSON.createObjectNode();
        write(config, root.put("model_max_length", contextLength).toPrettyString());
    }

    private static boolean copy(List<String> names, Path from, Path to) throws IOException {
        boolean any = false;
        for (String name : names) {
            if (Files.isRegularFile(from.resolve(name))) {
                AtomicFile.copy(from.resolve(name), to.resolve(name));
                any = true;
            }
        }
        return any;
    }

    /** Trained tensors are fp32 whatever they were, and transformers may load a model as its config says. */
    private static void writeDtype(Path config, String dtype) throws IOException {
        if (Files.isRegularFile(config) && JSON.readTree(config.toFile()) instanceof ObjectNode root) {
            List<ObjectNode> nodes = new ArrayList<>(List.of(root));
            root.elements().forEachRemaining(child -> {
                if (child instanceof ObjectNode part) {
                    nodes.add(part);
                }
            });
            for (ObjectNode node : nodes) {
                DTYPE_KEYS.stream().filter(node::has).forEach(key -> node.put(key, dtype));
            }
            write(config, root.toPrettyString());
        }
    }

    private static String dtype(TensorSource tensors) {
        TensorInfo patches = tensors.info("vision_model.embeddings.patch_embedding.weight");
        Dtype dtype = patches == null ? Dtype.F32 : patches.dtype();
        return dtype == Dtype.F16 ? "float16" : dtype == Dtype.BF16 ? "bfloat16" : "float32";
    }
}
