package dev.diva;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/**
 * Which diva this is.
 *
 * @param version version of the project
 * @param commit abbreviated commit that it was built from, or {@code unknown} without a repository
 */
public record BuildInfo(String version, String commit) {
    /** What the build wrote down. */
    public static BuildInfo read() {
        Properties properties = new Properties();
        try (InputStream stream = BuildInfo.class.getResourceAsStream("build.properties")) {
            properties.load(stream);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new BuildInfo(properties.getProperty("version"), properties.getProperty("commit"));
    }
}
