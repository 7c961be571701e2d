package dev.diva.clip;

import dev.diva.checkpoint.ConfigJson;
import java.nio.file.Path;

/** Gives the fuzzer the readers of config files, which are not public. */
public final class ConfigFuzz {
    private ConfigFuzz() {}

    public static void transformers(Path file) {
        HuggingFaceConfig.of(ConfigJson.read(file));
    }
}
