package dev.diva.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.diva.BadInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against a server that behaves as the hub does; the layout is that of huggingface_hub 0.36 (interop/hub.py reads it). */
class PullTest {
    private static final HubName NAME = new HubName("ORG/NAME", "main");
    private static final byte[] CONFIG = "{\"a\": 1}".getBytes(StandardCharsets.UTF_8);
    private static final byte[] WEIGHTS = HubServer.bytes(100_000);

    @TempDir
    private Path folder;

    private HubServer server;
    private final Map<String, String> environment = new HashMap<>();

    @BeforeEach
    void start() throws IOException {
        server = new HubServer()
                .with("config.json", CONFIG)
                .with("model.safetensors", WEIGHTS)
                .with("unet/config.json", CONFIG);
        environment.put("HF_ENDPOINT", server.endpoint());
        environment.put("HF_HUB_CACHE", folder.resolve("hub").toString());
        environment.put("HF_HOME", folder.resolve("home").toString());
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Path pull(String... include) {
        return new Pull(environment, new Pull.Listener() {
                    @Override
                    public void start(int files, long bytes) {
                        server.requests.add("start " + files + " " + bytes);
                    }

                    @Override
                    public void at(long bytes, String file) {
                        server.requests.add("at " + bytes);
                    }
                })
                .pull(NAME, List.of(include));
    }

    @Test
    void theCacheHasTheLayoutOfTheHubsOwnTools() throws IOException {
        Path snapshot = pull();
        Path model = folder.resolve("hub/models--ORG--NAME");
        assertThat(snapshot).isEqualTo(model.resolve("snapshots").resolve(HubServer.COMMIT));
        assertThat(model.resolve("refs/main")).hasContent(HubServer.COMMIT);
        assertThat(snapshot.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(Files.readSymbolicLink(snapshot.resolve("model.safetensors")))
                .isEqualTo(Path.of("../../blobs").resolve(HubServer.etag(WEIGHTS)));
        assertThat(Files.readSymbolicLink(snapshot.resolve("unet/config.json")))
                .isEqualTo(Path.of("../../../blobs").resolve(HubServer.etag(CONFIG)));
        try (Stream<Path> blobs = Files.list(model.resolve("blobs"))) {
            assertThat(blobs).hasSize(2);
        }
        assertThat(Models.resolve("ORG/NAME", environment)).isEqualTo(snapshot);
        assertThat(server.requests).contains("start 3 " + (WEIGHTS.length + 2 * CONFIG.length));
        assertThat(server.requests.get(server.requests.size() - 1))
                .isEqualTo("at " + (WEIGHTS.length + 2 * CONFIG.length));
    }

    @Test
    void whatIsThereIsNotBroughtAgain() {
        pull();
        server.requests.clear();
        pull();
        assertThat(server.requests("hub GET")).containsExactly("hub GET /api/models/ORG/NAME/revision/main");
        assertThat(server.requests("store")).isEmpty();
    }

    @Test
    void aCutConnectionIsGoneOnWithByRanges() {
        server.cuts = 2;
        Path snapshot = pull("model.*");
        assertThat(snapshot.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(server.requests("store GET"))
                .containsExactly(
                        "store GET /model.safetensors",
                        "store GET /model.safetensors bytes=50000-",
                        "store GET /model.safetensors bytes=75000-");
    }

    @Test
    void aStoppedPullGoesOn() throws IOException {
        Path blobs = Files.createDirectories(folder.resolve("hub/models--ORG--NAME/blobs"));
        Files.write(blobs.resolve(HubServer.etag(WEIGHTS) + ".incomplete"), java.util.Arrays.copyOf(WEIGHTS, 60_000));
        assertThat(pull("model.safetensors").resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(server.requests("store GET")).containsExactly("store GET /model.safetensors bytes=60000-");
    }

    @Test
    void otherContentNeverGetsTheFinalName() throws IOException {
        server.other = HubServer.bytes(100_000).clone();
        server.other[7]++;
        assertThatThrownBy(() -> pull("model.safetensors"))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("model.safetensors: what came is not what the hub names");
        try (Stream<Path> blobs = Files.list(folder.resolve("hub/models--ORG--NAME/blobs"))) {
            assertThat(blobs).isEmpty();
        }
        assertThat(folder.resolve("hub/models--ORG--NAME/snapshots")).doesNotExist();
    }

    @Test
    void theTokenGoesToTheHubAlone() throws IOException {
        server.token = "secret";
        assertThatThrownBy(this::pull).isInstanceOf(BadInputException.class).hasMessageContaining("set HF_TOKEN");
        Files.createDirectories(folder.resolve("home"));
        Files.writeString(folder.resolve("home/token"), "secret\n");
        pull();
        assertThat(server.requests("hub"))
                .filteredOn(line -> line.endsWith(" Bearer secret"))
                .hasSize(6);
        assertThat(server.requests("store")).isNotEmpty().noneMatch(line -> line.contains("secret"));
        environment.put("HF_TOKEN", "wrong");
        assertThatThrownBy(this::pull)
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("accept its terms")
                .hasMessageNotContaining("wrong");
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 503})
    void aBusyHubIsAskedAgain(int code) {
        server.failures.addAll(List.of(code, code));
        assertThat(pull("config.json").resolve("config.json")).hasBinaryContent(CONFIG);
    }

    @Test
    void whatIsNotThereIsTold() {
        assertThatThrownBy(() -> new Pull(environment, null).pull(new HubName("ORG/OTHER", "main"), List.of()))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("ORG/OTHER: the hub has no such model or revision");
        assertThatThrownBy(() -> pull("*.bin"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("ORG/NAME: the model has no file that --include *.bin takes");
        environment.put("HF_HUB_OFFLINE", "1");
        assertThatThrownBy(this::pull).isInstanceOf(BadInputException.class).hasMessageStartingWith("HF_HUB_OFFLINE");
    }

    @Test
    void aPageInThePlaceOfTheHubIsTold() throws IOException {
        HttpServer portal = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        portal.createContext("/", exchange -> {
            byte[] page = "<html>Welcome</html>".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, page.length);
            exchange.getResponseBody().write(page);
            exchange.close();
        });
        portal.start();
        environment.put("HF_ENDPOINT", "http://localhost:" + portal.getAddress().getPort());
        try {
            assertThatThrownBy(this::pull)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("ORG/NAME: localhost answers with no JSON; is HF_ENDPOINT a hub");
        } finally {
            portal.stop(0);
        }
    }

    @Test
    void filesOutsideOfTheModelAreRefused() {
        server.with("../../evil", CONFIG);
        assertThatThrownBy(this::pull)
                .isInstanceOf(BadInputException.class)
                .hasMessage("ORG/NAME: the hub names a file outside of the model: ../../evil");
    }
}
