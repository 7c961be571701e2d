package dev.diva.model;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A {@code tokenizer.json} as it is: its normaliser, its pieces, the special tokens around a text that its post-processor names, and the
 * padding of {@code tokenizer_config.json}. SigLIP 2 and the multilingual CLIPs come with one.
 */
public final class FileTokenizer implements Tokenizer {
    /** Classes of transformers 4 that take the tokens around a text from tokenizer_config.json. */
    private static final Pattern OWN_ENDS = Pattern.compile("(Gemma|Llama)Tokenizer(Fast)?");

    private final Path folder;
    private final HuggingFaceTokenizer pieces;
    private final Map<String, Integer> ids;
    private final long[] before;
    private final long[] after;
    private final long padId;
    private final boolean padsBefore;
    private final int contextLength;
    private final int rows;
    private final TextCleaning benchmarks;

    private FileTokenizer(Path folder, TokenizerFiles files, int contextLength, int rows, TextCleaning benchmarks) {
        this.benchmarks = benchmarks;
        this.folder = folder;
        this.contextLength = contextLength;
        this.rows = rows;
        ObjectNode description = files.description();
        this.ids = files.addTokens(description, false);
        this.padId = id(files, "pad_token");
        this.padsBefore = files.padsBefore();
        this.pieces = PieceEncoder.of(description, folder);
        if (hasOwnEnds(files.config())) {
            this.before =
                    files.config().flag("add_bos_token", true) ? new long[] {id(files, "bos_token")} : new long[0];
            this.after =
                    files.config().flag("add_eos_token", false) ? new long[] {id(files, "eos_token")} : new long[0];
        } else {
            long[][] around = around();
            this.before = around[0];
            this.after = around[1];
        }
    }

    /** What transformers 5 saved has them in {@code tokenizer.json}, unless its config says. */
    private static boolean hasOwnEnds(ConfigJson config) {
        boolean isOfTransformers5 = config.has("backend");
        boolean says = config.has("add_bos_token") || config.has("add_eos_token");
        return OWN_ENDS.matcher(config.text("tokenizer_class", "")).matches() && (says || !isOfTransformers5);
    }

    /** Whether the folder has a {@code tokenizer.json}. */
    public static boolean isIn(Path folder) {
        return new TokenizerFiles(folder).hasDescription();
    }

    /** {@code tokenizer_class} of {@code tokenizer_config.json}, or an empty string. */
    public static String tokenizerClass(Path folder) {
        return new TokenizerFiles(folder).config().text("tokenizer_class", "");
    }

    /**
     * Opens the tokenizer of a folder.
     *
     * @param contextLength ids of every text, padded or cut
     * @param rows of the embedding that the ids are looked up in
     * @throws BadInputException when its files are damaged or name no padding
     */
    public static FileTokenizer open(Path folder, int contextLength, long rows) {
        return open(folder, contextLength, rows, TextCleaning.CANONICALIZE);
    }

    /**
     * The same.
     *
     * @param benchmarks what texts go through before it where open_clip runs the model
     */
    public static FileTokenizer open(Path folder, int contextLength, long rows, TextCleaning benchmarks) {
        return new FileTokenizer(folder, new TokenizerFiles(folder), contextLength, Math.toIntExact(rows), benchmarks);
    }

    /** The same for texts in lower case, whatever its files say: what transformers 5 makes of the tokenizer of a SigLIP 2 NaFlex. */
    public static FileTokenizer openLowering(Path folder, int contextLength, long rows) {
        TokenizerFiles files = new TokenizerFiles(folder).lowering();
        return new FileTokenizer(folder, files, contextLength, Math.toIntExact(rows), TextCleaning.CANONICALIZE);
    }

    /** The same for {@link #encodeUnpadded} alone, so that the side of the padding does not matter. */
    public static FileTokenizer openUnpadded(Path folder, int contextLength, long rows) {
        return new FileTokenizer(
                folder, new TokenizerFiles(folder), contextLength, Math.toIntExact(rows), TextCleaning.CANONICALIZE);
    }

    private long id(TokenizerFiles files, String role) {
        Integer id = ids.get(files.token(role));
        if (id == null) {
            throw new BadInputException(folder + ": " + role + " is \"" + files.token(role)
                    + "\", which is not in tokenizer.json; complete tokenizer_config.json");
        }
        return id;
    }

    /** What the post-processor puts before and after a text. */
    private long[][] around() {
        long[] body = pieces.encode("a", false, false).getIds();
        long[] whole = pieces.encode("a", true, false).getIds();
        for (int start = 0; start + body.length <= whole.length; start++) {
            if (Arrays.equals(body, Arrays.copyOfRange(whole, start, start + body.length))) {
                return new long[][] {
                    Arrays.copyOf(whole, start), Arrays.copyOfRange(whole, start + body.length, whole.length)
                };
            }
        }
        throw new BadInputException(folder + ": the post_processor of tokenizer.json changes the text itself");
    }

    @Override
    public long[] encode(String text) {
        long[] ids = encodeUnpadded(text);
        long[] all = new long[contextLength];
        Arrays.fill(all, padId);
        System.arraycopy(ids, 0, all, padsBefore ? contextLength - ids.length : 0, ids.length);
        return requireRows(all);
    }

    /** The ids of {@link #encode} before its padding. */
    public long[] encodeUnpadded(String text) {
        long[] body = pieces.encode(text, false, false).getIds();
        int length = Math.min(body.length, contextLength - before.length - after.length);
        long[] all = new long[before.length + length + after.length];
        System.arraycopy(before, 0, all, 0, before.length);
        System.arraycopy(body, 0, all, before.length, length);
        System.arraycopy(after, 0, all, before.length + length, after.length);
        return requireRows(all);
    }

    private long[] requireRows(long... all) {
        for (long id : all) {
            if (id >= rows) {
                throw new BadInputException(folder + ": the tokenizer gives the id " + id + ", the text tower has "
                        + rows + "; put the model's own tokenizer files there");
            }
        }
        return all;
    }

    /** As open_clip runs the models of transformers that come with one: SigLIP 2 on texts without punctuation. */
    @Override
    public long[] encodeAsBenchmarksDo(String text) {
        return encode(benchmarks.apply(text));
    }

    /** The id of the special token of that role. */
    public long id(String role) {
        return id(new TokenizerFiles(folder), role);
    }

    @Override
    public int contextLength() {
        return contextLength;
    }

    @Override
    public int vocabSize() {
        return rows;
    }

    @Override
    public void close() {
        pieces.close();
    }
}
