package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.engine.Int8Linear;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class DoctorCommandTest {
    @Test
    void jsonTellsMachineAndMeasuredSpeed() throws IOException {
        StringWriter out = new StringWriter();
        int code = Main.run(Main.commandLine().setOut(new PrintWriter(out)), "doctor", "--threads", "1", "--json");
        assertThat(code).isZero();
        JsonNode facts = new ObjectMapper().readTree(out.toString());
        assertThat(facts.path("threads").asInt()).isEqualTo(1);
        assertThat(facts.path("cores").asInt()).isEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(facts.path("libtorch").asText()).startsWith("2.");
        assertThat(facts.path("memoryBytes").asLong()).isGreaterThan(1L << 28);
        assertThat(facts.path("int8").asBoolean(!Int8Linear.isFast())).isEqualTo(Int8Linear.isFast());
        assertThat(facts.has("matmulGops.int8")).isEqualTo(Int8Linear.isFast());
        // between a core without kernels for bf16 and the fastest GPU: an error of unit would leave this range
        for (String name : new String[] {"matmulGflops.fp32", "matmulGflops.bf16", "attentionGflops.fp32"}) {
            assertThat(facts.path(name).asDouble()).as(name).isBetween(0.02, 5e6);
        }
    }
}
