package dev.diva.clip;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.sentencepiece.SpTokenizer;
import dev.diva.BadInputException;
import dev.diva.model.PieceEncoder;
import dev.diva.model.TextRepair;
import dev.diva.model.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Pattern;

/** SigLIP's sentencepiece: lower case, no punctuation, the pieces, then {@code </s>}, which pads too. */
public final class SiglipTokenizer implements Tokenizer {
    private static final long END = 1;
    private static final Pattern PUNCTUATION = Pattern.compile("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]");
    private static final Pattern SPACES = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

    private final Function<String, long[]> pieces;
    private final AutoCloseable library;
    private final int contextLength;
    private final int vocabSize;

    private SiglipTokenizer(Function<String, long[]> pieces, AutoCloseable library, int contextLength, int vocabSize) {
        this.pieces = pieces;
        this.library = library;
        this.contextLength = contextLength;
        this.vocabSize = vocabSize;
    }

    /**
     * Reads {@code tokenizer.json} or {@code spiece.model} of a folder.
     *
     * @param config gives the length and the number of ids
     */
    public static SiglipTokenizer open(Path folder, TextConfig config) {
        int vocabSize = Math.toIntExact(config.transformer().vocabSize());
        Path json = folder.resolve("tokenizer.json");
        Path model = folder.resolve("spiece.model");
        try {
            if (Files.exists(json)) {
                HuggingFaceTokenizer library = PieceEncoder.of(Files.readAllBytes(json));
                return new SiglipTokenizer(
                        text -> library.encode(text, false, false).getIds(),
                        library,
                        config.contextLength(),
                        vocabSize);
            }
            if (Files.exists(model)) {
                SpTokenizer library = new SpTokenizer(model);
                return new SiglipTokenizer(
                        text -> Arrays.stream(library.getProcessor().encode(text))
                                .asLongStream()
                                .toArray(),
                        library,
                        config.contextLength(),
                        vocabSize);
            }
        } catch (IOException | RuntimeException e) {
            throw new BadInputException(folder + ": tokenizer cannot be read: " + e.getMessage(), e);
        }
        throw new BadInputException(folder
                + ": no tokenizer: neither tokenizer.json nor spiece.model; copy one from the" + " original model");
    }

    @Override
    public long[] encode(String text) {
        String bare = PUNCTUATION.matcher(text).replaceAll("");
        String canonical = SPACES.matcher(bare).replaceAll(" ").strip().toLowerCase(Locale.ROOT);
        long[] body = pieces.apply(canonical);
        long[] ids = new long[contextLength];
        Arrays.fill(ids, END);
        System.arraycopy(body, 0, ids, 0, Math.min(body.length, contextLength - 1));
        return ids;
    }

    @Override
    public long[] encodeAsBenchmarksDo(String text) {
        return encode(TextRepair.canonical(text));
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
