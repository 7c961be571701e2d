package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.ConfigJson;
import dev.diva.model.FileTokenizer;
import dev.diva.model.TextCleaning;
import dev.diva.model.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The tokenizer that open_clip takes from transformers ({@code hf_tokenizer_name}): SigLIP's, SigLIP 2's, and those of the multilingual
 * CLIPs. Of a local folder it is the folder's own.
 *
 * @param separator id that becomes 0, or -1
 */
record OpenClipTokenizer(Tokenizer ofFolder, TextCleaning cleaning, long separator) implements Tokenizer {
    private static final Set<String> KNOWN = Set.of("clean", "strip_sep_token");

    /**
     * Opens the tokenizer of a folder.
     *
     * @param config {@code text_cfg}
     * @throws BadInputException when the folder has no tokenizer, or the config a setting that is not followed
     */
    static Tokenizer open(Path folder, ConfigJson config, TextConfig text) {
        if (!config.has("hf_tokenizer_name")) {
            throw new BadInputException(
                    config.location() + ": no hf_tokenizer_name: open_clip would take CLIP's tokenizer,"
                            + " which is not that of a SigLIP; name it there, its files lie in the folder");
        }
        ConfigJson kwargs = config.at("tokenizer_kwargs");
        config.requireOnly(Map.of("tokenizer_mode", Set.of()));
        kwargs.requireKnown(KNOWN::contains);
        kwargs.requireOnly(Map.of("clean", Set.of("whitespace", "lower", "canonicalize")));
        if (!FileTokenizer.isIn(folder) && !Files.exists(folder.resolve("spiece.model"))) {
            throw new BadInputException(folder + ": no tokenizer.json; open_clip_config.json says hf_tokenizer_name "
                    + config.text("hf_tokenizer_name", "") + ": copy that tokenizer's files there");
        }
        Tokenizer tokenizer = SiglipTokenizer.ofTransformers(folder, text, false);
        boolean strips = kwargs.flag("strip_sep_token", false);
        return new OpenClipTokenizer(
                tokenizer,
                TextCleaning.valueOf(kwargs.text("clean", "whitespace").toUpperCase(Locale.ROOT)),
                strips && tokenizer instanceof FileTokenizer file ? file.id("sep_token") : -1);
    }

    @Override
    public long[] encode(String words) {
        long[] ids = ofFolder.encode(cleaning.apply(words));
        for (int i = 0; i < ids.length; i++) {
            ids[i] = ids[i] == separator ? 0 : ids[i];
        }
        return ids;
    }

    @Override
    public long[] encodeAsBenchmarksDo(String text) {
        return encode(text);
    }

    @Override
    public int contextLength() {
        return ofFolder.contextLength();
    }

    @Override
    public int vocabSize() {
        return ofFolder.vocabSize();
    }

    @Override
    public void close() {
        ofFolder.close();
    }
}
