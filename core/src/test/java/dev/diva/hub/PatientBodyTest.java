package dev.diva.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Against a server that sends three bytes of six and then nothing until it is told to. */
class PatientBodyTest {
    private final CountDownLatch rest = new CountDownLatch(1);
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, 6);
            exchange.getResponseBody().write(new byte[] {1, 2, 3});
            exchange.getResponseBody().flush();
            try {
                rest.await();
                exchange.getResponseBody().write(new byte[] {4, 5, 6});
            } catch (InterruptedException | IOException e) {
                // nobody listens
            }
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        rest.countDown();
        server.stop(0);
    }

    private InputStream body(Duration silence) throws Exception {
        URI uri = URI.create("http://localhost:" + server.getAddress().getPort() + "/");
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), PatientBody.handler(silence))
                .body();
    }

    @Test
    @Timeout(60) // else it would wait for ever
    void aServerThatFallsSilentIsAnError() throws Exception {
        try (InputStream body = body(Duration.ofMillis(200))) {
            assertThat(body.readNBytes(3)).containsExactly(1, 2, 3);
            assertThatThrownBy(body::readAllBytes)
                    .isInstanceOf(HttpTimeoutException.class)
                    .hasMessageContaining("nothing for 0 s");
        }
    }

    @Test
    void aServerThatGoesOnInTimeIsReadToTheEnd() throws Exception {
        try (InputStream body = body(Duration.ofMinutes(1))) {
            assertThat(body.read()).isEqualTo(1);
            rest.countDown();
            assertThat(body.readAllBytes()).containsExactly(2, 3, 4, 5, 6);
        }
    }
}
