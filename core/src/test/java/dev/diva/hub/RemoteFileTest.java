package dev.diva.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.testing.DataServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranges as RFC 9110 has them, against a server of our own; blocks of 1000 bytes. */
class RemoteFileTest {
    private static final int BLOCK = 1000;
    private static final byte[] CONTENT = bytes(1, 4500);

    @TempDir
    private Path folder;

    private final DataServer server = new DataServer().with("a.bin", CONTENT);
    private final Map<String, String> environment = new HashMap<>();

    @BeforeEach
    void noHome() {
        environment.put("NETRC", folder.resolve("netrc").toString());
        environment.put("HF_HOME", folder.toString());
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static byte[] bytes(int seed, int count) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** As another process would see it. */
    private RemoteFiles files(long limit) {
        return new RemoteFiles(
                environment, new DiskCache(folder.resolve("cache"), limit), BLOCK, new Web.Patience(3, 1));
    }

    private RemoteFile file(String name) {
        return files(100_000).file(server.address(name));
    }

    private static byte[] part(int from, int count) {
        return Arrays.copyOfRange(CONTENT, from, from + count);
    }

    @Test
    void blocksAreAskedForOnce() throws IOException {
        environment.put("HTTP_PROXY", "http://127.0.0.1:1"); // not for this machine itself
        RemoteFile file = file("a.bin");
        assertThat(file.size()).isEqualTo(CONTENT.length);
        assertThat(file.read(2100, 50)).isEqualTo(part(2100, 50));
        assertThat(file.read(2999, 1002)).isEqualTo(part(2999, 1002));
        assertThat(file.read(4499, 1)).isEqualTo(part(4499, 1));
        assertThat(server.requests("a.bin"))
                .containsExactly(
                        "GET /a.bin bytes=0-999",
                        "GET /a.bin bytes=2000-2999",
                        "GET /a.bin bytes=3000-3999",
                        "GET /a.bin bytes=4000-4499");
        try (SeekableByteChannel channel = file("a.bin").channel()) {
            ByteBuffer all = ByteBuffer.allocate(CONTENT.length);
            while (all.hasRemaining() && channel.read(all) > 0) {
                assertThat(channel.position()).isEqualTo(all.position());
            }
            assertThat(all.array()).isEqualTo(CONTENT);
            assertThat(channel.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
        assertThat(server.requests("a.bin")).hasSize(4 + 3); // what it is, and blocks 0 and 1
    }

    @Test
    void brokenConnectionsAreGoneOnWith() {
        RemoteFile file = file("a.bin");
        assertThat(file.size()).isEqualTo(CONTENT.length);
        server.cuts = 2;
        assertThat(file.read(1000, 1000)).isEqualTo(part(1000, 1000));
        assertThat(server.requests("a.bin"))
                .endsWith("GET /a.bin bytes=1000-1999", "GET /a.bin bytes=1500-1999", "GET /a.bin bytes=1750-1999");
        server.cuts = 3;
        assertThatThrownBy(() -> file.read(2000, 1000))
                .isInstanceOf(UncheckedIOException.class)
                .cause()
                .hasMessageStartingWith(server.address("a.bin") + ": ");
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 503})
    void aBusyServerIsAskedAgain(int code) {
        server.failures.addAll(List.of(code, code));
        assertThat(file("a.bin").read(0, 10)).isEqualTo(part(0, 10));
        server.failures.addAll(List.of(code, code, code));
        assertThatThrownBy(() -> files(9).file(server.address("a.bin")).size())
                .isInstanceOf(UncheckedIOException.class)
                .cause()
                .hasMessage(server.address("a.bin") + ": the server is busy (" + code + "); try again later");
    }

    @ParameterizedTest
    @CsvSource({
        "401, the server refuses it (401); looked for user:password@ in the address and machine localhost in",
        "403, the server refuses it (403); looked for",
        "404, no such file on the server (404)",
        "418, the server answers 418",
    })
    void refusalsAreOneLine(int code, String message) {
        server.failures.add(code);
        String address = server.address("a.bin") + "?X-Amz-Signature=hidden&part=1";
        assertThatThrownBy(() -> files(100_000).file(address).size())
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(server.address("a.bin") + "?part=1: " + message)
                .hasMessageNotContaining("hidden");
    }

    @Test
    void pagesUnknownHostsAndWhatIsNoAddressAreTold() {
        server.with("page", "\n<!DOCTYPE html><title>Log in</title>".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> file("page").size())
                .isInstanceOf(BadInputException.class)
                .hasMessage(server.address("page") + ": is a web page; give the address of the file itself");
        assertThatThrownBy(() ->
                        files(100_000).file("http://no.such.host.invalid/a").size())
                .isInstanceOf(UncheckedIOException.class)
                .cause()
                .hasMessage("no.such.host.invalid: no such host is known; check the name and the network");
        assertThatThrownBy(() ->
                        files(100_000).file("http://host/a b?token=hidden").size())
                .isInstanceOf(BadInputException.class)
                .hasMessageNotContaining("hidden")
                .hasMessageStartingWith("http://host/a b: no address");
        server.with("empty");
        assertThat(file("empty").size()).isZero();
    }

    @Test
    void loginsGoToTheirOwnHostAlone() throws IOException {
        try (DataServer other = new DataServer().with("a.bin", CONTENT)) {
            server.elsewhere = other.at("127.0.0.1");
            server.authorization = "Basic dTpw"; // u:p
            String address = server.address("a.bin").replace("//", "//u:p@");
            RemoteFile file = files(100_000).file(address);
            assertThat(file.read(0, 2000)).isEqualTo(part(0, 2000));
            assertThat(file.name()).isEqualTo(server.address("a.bin"));
            Files.writeString(
                    folder.resolve("netrc"), "machine x login a password b\nmachine localhost login u password p");
            assertThat(file("a.bin").size()).isEqualTo(CONTENT.length);
            environment.put("HF_ENDPOINT", server.at("localhost"));
            environment.put("HF_TOKEN", "t");
            server.authorization = "Bearer t";
            assertThat(file("a.bin").size()).isEqualTo(CONTENT.length);
            assertThat(other.requests("a.bin")).isNotEmpty().allMatch(line -> line.matches("\\S+ \\S+ \\S+"));
        }
    }

    @Test
    void aFileThatChangesIsAnError() {
        RemoteFile file = file("a.bin");
        assertThat(file.read(0, 10)).isEqualTo(part(0, 10));
        server.with("a.bin", bytes(2, 4600));
        assertThat(file.read(0, 10)).isEqualTo(part(0, 10)); // known
        assertThatThrownBy(() -> file.read(1000, 10))
                .isInstanceOf(UncheckedIOException.class)
                .cause()
                .hasMessageStartingWith(server.address("a.bin") + ": changed while it was read (4500 bytes")
                .hasMessageContaining("now 4600 bytes");
        assertThat(file("a.bin").read(1000, 10)).isEqualTo(Arrays.copyOfRange(bytes(2, 4600), 1000, 1010));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void withoutRangesTheWholeFileIsKept(boolean withLengths) {
        server.ranges = false;
        server.lengths = withLengths;
        RemoteFile file = file("a.bin");
        assertThat(file.size()).isEqualTo(CONTENT.length);
        assertThat(file.read(900, 3600)).isEqualTo(part(900, 3600));
        assertThat(server.requests("a.bin")).hasSize(1);
        server.with("b.bin", CONTENT);
        assertThatThrownBy(() -> files(4800).file(server.address("b.bin")).size())
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("the server gives no parts of files (ranges)")
                .hasMessageContaining("--data-cache-size");
    }

    @Test
    void theCacheNeverHoldsMoreAndForgetsTheOldest() throws IOException {
        RemoteFile file = files(3600).file(server.address("a.bin"));
        file.channel(); // nothing yet
        read(file, 0);
        read(file, 1);
        age("-0", 10);
        age("-1", 20);
        read(file, 0); // touched: 1 is the oldest now
        read(file, 2);
        read(file, 3);
        assertThat(kept()).containsExactly("0", "2", "3");
        Files.write(folder.resolve("cache").resolve("0".repeat(32) + "-7.tmp"), new byte[700]); // of a killed process
        Files.write(folder.resolve("cache").resolve("notes.txt"), new byte[700]); // somebody else's
        RemoteFile again = files(3000).file(server.address("a.bin"));
        read(again, 1);
        assertThat(kept()).contains("1").hasSizeLessThanOrEqualTo(3);
        assertThat(folder.resolve("cache/notes.txt")).exists();
        assertThat(folder.resolve("cache").resolve("0".repeat(32) + "-7.tmp")).doesNotExist();
    }

    private static void read(RemoteFile file, int block) {
        ByteBuffer bytes = ByteBuffer.allocate(500);
        file.fill((long) block * BLOCK, bytes, false);
        assertThat(bytes.array()).isEqualTo(part(block * BLOCK, 500));
    }

    private void age(String end, int minutes) throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
            for (Path file : files.filter(path -> path.toString().endsWith(end)).toList()) {
                Files.setLastModifiedTime(file, FileTime.fromMillis(System.currentTimeMillis() - minutes * 60_000L));
            }
        }
    }

    private List<String> kept() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
            return files.map(path -> path.getFileName().toString())
                    .filter(name -> name.matches("[0-9a-f]{32}-\\d+"))
                    .map(name -> name.replaceFirst(".*-", ""))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void ofDataLargerThanTheCachePartsAreAskedForAlone() {
        RemoteFile file = files(3600).file(server.address("a.bin"));
        assertThat(file.read(1100, 30)).isEqualTo(part(1100, 30));
        assertThat(server.requests("a.bin")).endsWith("GET /a.bin bytes=1100-1129");
    }

    @Test
    void manyThreadsOfTwoCachesInOneFolderReadTheSame() throws Exception {
        List<RemoteFile> both =
                List.of(files(5000).file(server.address("a.bin")), files(5000).file(server.address("a.bin")));
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<byte[]>> parts = IntStream.range(0, 300)
                    .mapToObj(i -> threads.submit(() -> both.get(i % 2).read(i * 37 % 4400, 100)))
                    .toList();
            for (int i = 0; i < parts.size(); i++) {
                assertThat(parts.get(i).get()).isEqualTo(part(i * 37 % 4400, 100));
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(server.requests("a.bin")).hasSizeLessThanOrEqualTo(2 + 5); // what it is, each block by one of them
    }

    @ParameterizedTest
    @CsvSource({
        "https://u:p@h/a.tar, https://h/a.tar",
        "https://h/a.tar?X-Amz-Algorithm=A&X-Amz-Signature=0f, https://h/a.tar",
        "https://h/a.tar?b=1&X-Amz-Security-Token=t%2F&c=2#x, https://h/a.tar?b=1&c=2#x",
        "https://h/a.tar?sv=1&sig=ab, https://h/a.tar?sv=1",
        "https://h/a?access_token=x::https://h/b?token=y::c.tar, https://h/a::https://h/b::c.tar",
        "https://h/a?design=1&sign=x, https://h/a?design=1",
        "s3://bucket/key, s3://bucket/key",
        "--images=https://h/a?Signature=x&Expires=1, --images=https://h/a",
        "data/a.tar, data/a.tar",
    })
    void secretsAreLeftOut(String text, String shown) {
        assertThat(Address.withoutSecrets(text)).isEqualTo(shown);
    }
}
