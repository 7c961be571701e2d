package dev.diva.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.diva.BadInputException;
import dev.diva.hub.CacheSize;
import dev.diva.hub.RemoteFiles;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code --data-cache DIR --data-cache-size 50GB} of commands that read files behind addresses. */
final class DataCacheOption {
    private static final String DEFAULT_SIZE = "50GB";

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--data-cache",
            paramLabel = "DIR",
            description = "Where parts of files behind addresses are kept. Default: ~/.cache/diva/data.")
    private Path folder;

    private String size; // null for the default

    @Option(
            names = "--data-cache-size",
            paramLabel = "SIZE",
            description = "Most that is kept there; what was not asked for the longest goes. Default: 50GB.")
    void size(String given) {
        try {
            long unused = CacheSize.bytes("--data-cache-size", given);
            size = given;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), e.getMessage(), e);
        }
    }

    /** From now on files behind addresses are kept there. */
    void use() {
        use(folder, size == null ? DEFAULT_SIZE : size, "--data-cache-size");
    }

    /** Lays what was given over a recipe's keys. */
    void put(ObjectNode keys) {
        if (folder != null) {
            keys.withObject("/data").put("cache", folder.toString());
        }
        if (size != null) {
            keys.withObject("/data").put("cacheSize", size);
        }
    }

    /**
     * From now on files behind addresses are kept where a recipe says.
     *
     * @param recipe all its keys
     * @throws BadInputException for a size that is none
     */
    static void use(JsonNode recipe) {
        JsonNode data = recipe.path("data");
        try {
            use(
                    data.path("cache").isTextual() ? Path.of(data.path("cache").textValue()) : null,
                    data.path("cacheSize").asText(),
                    "data.cacheSize");
        } catch (IllegalArgumentException e) {
            throw new BadInputException("recipe: " + e.getMessage(), e);
        }
    }

    private static void use(Path folder, String size, String key) {
        RemoteFiles.use(folder == null ? RemoteFiles.defaultFolder() : folder, CacheSize.bytes(key, size));
    }
}
