package dev.diva.language;

import dev.diva.BadInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** Texts to the ids of a Llama vocabulary and back, as the files of a model folder say. */
public interface LlamaTokenizer extends AutoCloseable {
    /** Which of transformers' two tokenizers is followed where a folder has files for both. */
    enum Kind {
        /** {@code tokenizer.json} if it is there, as AutoTokenizer does. */
        FAST,
        /** {@code tokenizer.model} if it is there, as LLaVA's own code does. */
        SLOW
    }

    /**
     * Opens the tokenizer of a folder.
     *
     * @throws BadInputException when there is none, or its files contradict each other
     */
    static LlamaTokenizer open(Path folder, Kind preferred) {
        TokenizerFiles files = TokenizerFiles.read(folder);
        boolean hasJson = Files.exists(files.json());
        boolean hasModel = Files.exists(files.model());
        if (!hasJson && !hasModel) {
            throw new BadInputException(
                    folder + ": no tokenizer: neither tokenizer.json nor tokenizer.model; copy the original model's");
        }
        files.requireAgreement();
        boolean isFast = hasJson && (preferred == Kind.FAST || !hasModel);
        return isFast ? new FastTokenizer(files) : new SlowTokenizer(files);
    }

    /** Ids of a text, with what the files add in front and behind. Special tokens in the text are recognised. */
    long[] encode(String text);

    /** The text of ids: special ones are left out, bytes become characters, bad ones U+FFFD. */
    String decode(long... ids);

    /** Whether a text behind a special token begins as at the start of a text, with a blank of its own. */
    boolean restartsBehindSpecial();

    /** The id of a piece or special token. */
    OptionalLong idOf(String token);

    /** The id that ends an answer. */
    long endId();

    /** The highest id plus 1. */
    long size();

    @Override
    void close();
}
