package dev.diva.clip;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.sentencepiece.SpProcessor;
import ai.djl.sentencepiece.SpTokenizer;
import dev.diva.BadInputException;
import dev.diva.Placeholder;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.model.FileTokenizer;
import dev.diva.model.PieceEncoder;
import dev.diva.model.TextCleaning;
import dev.diva.model.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Function;

/** The first SigLIP's sentencepiece: lower case, no punctuation, the pieces, then {@code </s>}, which pads too. */
public final class SiglipTokenizer implements Tokenizer {
    private static final long END = 1;

    private final Function<String, long[]> pieces;
    private final AutoCloseable library;
    private final boolean lowers;
    private final int contextLength;
    private final int vocabSize;

    private SiglipTokenizer(Function<String, long[]> pieces, AutoCloseable library, boolean lowers, TextConfig config) {
        this.pieces = pieces;
        this.library = library;
        this.lowers = lowers;
        this.contextLength = config.contextLength();
        this.vocabSize = Math.toIntExact(config.transformer().vocabSize());
    }

    /**
     * The tokenizer that transformers finds in a folder of a SigLIP: the first one's own, or what {@code tokenizer.json} describes, for
     * instance Gemma's of SigLIP 2.
     *
     * @param isNaflex whether it is of a SigLIP 2 NaFlex, whose texts transformers 5 lowers whatever class its files name
     */
    static Tokenizer ofTransformers(Path folder, TextConfig config, boolean isNaflex) {
        if (isFirst(folder)) {
            return open(folder, config);
        }
        if (!FileTokenizer.isIn(folder)) {
            throw new BadInputException(folder + ": no tokenizer.json of " + FileTokenizer.tokenizerClass(folder)
                    + "; copy it from the original model,"
                    + " or save the tokenizer with transformers' save_pretrained()");
        }
        long rows = config.transformer().vocabSize();
        return isNaflex
                ? FileTokenizer.openLowering(folder, config.contextLength(), rows)
                : FileTokenizer.open(folder, config.contextLength(), rows);
    }

    /** Whether the tokenizer of a folder is the first SigLIP's, which drops punctuation. */
    static boolean isFirst(Path folder) {
        String name = FileTokenizer.tokenizerClass(folder);
        return name.isEmpty() ? !isGemma(folder) : name.startsWith("SiglipTokenizer");
    }

    /** Without tokenizer_config.json: whether the pieces are those of SigLIP 2, whose padding is 0. */
    private static boolean isGemma(Path folder) {
        Path json = folder.resolve("tokenizer.json");
        return Files.exists(json)
                && ConfigJson.read(json).at("model").at("vocab").has("<pad>");
    }

    /**
     * Reads {@code tokenizer.json} or {@code spiece.model} of a folder.
     *
     * @param config gives the length and the number of ids
     */
    public static SiglipTokenizer open(Path folder, TextConfig config) {
        Path json = folder.resolve("tokenizer.json");
        Path model = folder.resolve("spiece.model");
        boolean lowers = requireFollowed(folder);
        if (!Files.exists(json) && !Files.exists(model)) {
            throw new BadInputException(folder
                    + ": no tokenizer: neither tokenizer.json nor spiece.model; copy one from the original model");
        }
        Placeholder.refuse(Files.exists(json) ? json : model);
        try {
            if (Files.exists(json)) {
                HuggingFaceTokenizer library = PieceEncoder.of(Files.readAllBytes(json));
                return new SiglipTokenizer(
                        text -> library.encode(text, false, false).getIds(), library, lowers, config);
            }
            SpTokenizer library = new SpTokenizer(model);
            SpProcessor processor = library.getProcessor();
            return new SiglipTokenizer(
                    text -> Arrays.stream(processor.encode(text)).asLongStream().toArray(), library, lowers, config);
        } catch (IOException | RuntimeException e) {
            throw new BadInputException(folder + ": tokenizer cannot be read: " + e.getMessage(), e);
        }
    }

    /** Settings of tokenizer_config.json: whether texts become lower case; others than the published are refused. */
    private static boolean requireFollowed(Path folder) {
        Path file = folder.resolve("tokenizer_config.json");
        if (!Files.exists(file)) {
            return true;
        }
        ConfigJson config = ConfigJson.read(file);
        for (String role : new String[] {"eos_token", "pad_token"}) {
            String token = config.node().path(role).isObject()
                    ? config.at(role).text("content", "</s>")
                    : config.text(role, "</s>");
            if (!token.equals("</s>")) {
                throw config.wrong(role, "</s>, as SigLIP's tokenizer has it");
            }
        }
        config.at("added_tokens_decoder").node().properties().forEach(token -> {
            if (!token.getValue().path("content").asText().matches("</s>|<unk>|<s>|<pad>|")) {
                throw config.wrong("added_tokens_decoder", "no tokens added to SigLIP's");
            }
        });
        return config.flag("do_lower_case", true);
    }

    @Override
    public long[] encode(String text) {
        String bare = TextCleaning.singleSpaces(TextCleaning.withoutPunctuation(text));
        long[] body = pieces.apply(lowers ? bare.toLowerCase(Locale.ROOT) : bare);
        long[] ids = new long[contextLength];
        Arrays.fill(ids, END);
        System.arraycopy(body, 0, ids, 0, Math.min(body.length, contextLength - 1));
        return ids;
    }

    @Override
    public long[] encodeAsBenchmarksDo(String text) {
        return encode(TextCleaning.CANONICALIZE.apply(text));
    }

    @Override
    public int contextLength() {
        return contextLength;
    }

    @Override
    public int vocabSize() {
        return vocabSize;
    }

    @Override
    public void close() {
        try {
            library.close();
        } catch (Exception e) {
            throw new IllegalStateException("the tokenizer cannot be closed", e);
        }
    }
}
