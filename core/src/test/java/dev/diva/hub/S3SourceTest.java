package dev.diva.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.testing.DataServer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** AWS's client against a server that checks what it is asked; keys by its system properties, which stand before the environment. */
class S3SourceTest {
    private static final List<String> KEYS = List.of("aws.accessKeyId", "aws.secretAccessKey", "aws.region");
    private static final byte[] CONTENT = new byte[3000];

    static {
        Arrays.setAll(new Byte[CONTENT.length], i -> CONTENT[i] = (byte) (i * 7));
    }

    @TempDir
    private Path folder;

    private final DataServer server = new DataServer().with("bucket/set/a b.tar", CONTENT);

    @BeforeEach
    void login() {
        KEYS.forEach(key -> System.setProperty(key, "eu-test-1"));
    }

    @AfterEach
    void stop() {
        KEYS.forEach(System::clearProperty);
        server.close();
    }

    private RemoteFiles files() {
        return new RemoteFiles(
                Map.of("AWS_ENDPOINT_URL", server.at("localhost")),
                new DiskCache(folder, 100_000),
                1000,
                new Web.Patience(3, 1));
    }

    private RemoteFile file(String address) {
        return files().file(address);
    }

    @Test
    void aBucketIsListedPageByPage() {
        List.of("a.tar", "b+c é.tar", "c.tar", "deep/d.tar", "deep/").forEach(key -> server.with("bucket/set/" + key));
        RemoteSource s3 = files().source("s3://bucket/");
        assertThat(s3.list("s3://bucket/set/", false))
                .containsExactly(
                        "s3://bucket/set/a b.tar",
                        "s3://bucket/set/a.tar",
                        "s3://bucket/set/b+c é.tar",
                        "s3://bucket/set/c.tar",
                        "s3://bucket/set/deep/");
        assertThat(s3.list("s3://bucket/set/c", true)).containsExactly("s3://bucket/set/c.tar");
        assertThat(s3.list("s3://bucket/", true)).hasSize(5).contains("s3://bucket/set/deep/d.tar");
        assertThatThrownBy(() -> s3.list("s3://buck*/", true))
                .isInstanceOf(BadInputException.class)
                .hasMessage("s3://buck*/: expected s3://BUCKET/KEY");
    }

    @Test
    void objectsAreReadByRangesAndRequestsSigned() {
        RemoteFile file = file("s3://bucket/set/a b.tar");
        assertThat(file.size()).isEqualTo(CONTENT.length);
        assertThat(file.version()).isNotEmpty();
        assertThat(file.read(900, 1500)).isEqualTo(Arrays.copyOfRange(CONTENT, 900, 2400));
        assertThat(server.requests)
                .hasSize(1 + 3)
                .allMatch(line -> line.matches("GET /bucket/set/a b.tar bytes=\\d0*-\\d*999 AWS4-HMAC-SHA256"
                        + " Credential=eu-test-1/\\d{8}/eu-test-1/s3/.*"));
    }

    @Test
    void aCutObjectIsGoneOnWith() {
        RemoteFile file = file("s3://bucket/set/a b.tar");
        assertThat(file.size()).isEqualTo(CONTENT.length);
        server.cuts = 1;
        assertThat(file.read(1000, 1000)).isEqualTo(Arrays.copyOfRange(CONTENT, 1000, 2000));
    }

    @Test
    void refusalsAreOneLine() {
        assertThatThrownBy(() -> file("s3://bucket/other").size())
                .isInstanceOf(MissingFileException.class)
                .hasMessageStartingWith("s3://bucket/other: no such object");
        assertThat(file("s3://bucket/other").exists()).isFalse();
        server.failures.add(403);
        assertThatThrownBy(() -> file("s3://bucket/other").size())
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("the store refuses it")
                .hasMessageContaining("looked for credentials in AWS_ACCESS_KEY_ID");
        assertThatThrownBy(() -> file("s3://bucket").size())
                .isInstanceOf(BadInputException.class)
                .hasMessage("s3://bucket: expected s3://BUCKET/KEY");
    }
}
