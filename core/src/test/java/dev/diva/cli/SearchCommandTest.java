package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.testing.Golden;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class SearchCommandTest {
    private static final String MODEL = Golden.model("clip-hf-vit").toString();

    @TempDir
    private Path folder;

    private StringWriter out = new StringWriter();
    private StringWriter err = new StringWriter();

    @BeforeEach
    void writeImages() throws IOException {
        for (String name : List.of("a/0", "a/1", "a/2", "b/3", "b/4")) {
            Path file = folder.resolve(name + ".png");
            Files.createDirectories(file.getParent());
            BufferedImage image = new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = image.createGraphics();
            int number = Integer.parseInt(name.substring(2));
            graphics.setColor(new Color(60 * number, 250 - 50 * number, 40 * (number % 3)));
            graphics.fillRect(5 * number, 4, 12, 20);
            graphics.dispose();
            ImageIO.write(image, "png", file.toFile());
        }
    }

    private int run(String... arguments) {
        out = new StringWriter();
        err = new StringWriter();
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        return line.execute(arguments);
    }

    private String encoded(String name, String... more) {
        Path file = folder.resolve(name);
        String[] arguments = new String[7 + more.length];
        System.arraycopy(
                new String[] {"encode", "--clip", MODEL, "--precision", "fp32", "--out", file.toString()},
                0,
                arguments,
                0,
                7);
        System.arraycopy(more, 0, arguments, 7, more.length);
        assertThat(run(arguments)).as(err.toString()).isZero();
        return file.toString();
    }

    @Test
    void anImageFindsItselfFirstAmongAllFilesOfTheIndex() throws IOException {
        String a = encoded("a.safetensors", "--images", folder.resolve("a").toString());
        String b = encoded("b.safetensors", "--images", folder.toString(), "--known", a);
        String page = folder.resolve("found.html").toString();
        String image = folder.resolve("b/4.png").toString();
        int code = run("search", "--index", a, b, "--image", image, "--text", "a cat", "--html", page, "--json");
        assertThat(code).as(err.toString()).isZero();
        JsonNode answers = new ObjectMapper().readTree(out.toString());
        assertThat(answers.get(0).get("query").asText()).isEqualTo("a cat");
        JsonNode matches = answers.get(1).get("matches");
        assertThat(matches).hasSize(5); // three of the one file, the two others of the other
        assertThat(matches.get(0).get("name").asText()).isEqualTo(image);
        assertThat(matches.get(0).get("cosine").asDouble()).isBetween(0.99999, 1.00001);
        for (int i = 1; i < 5; i++) {
            assertThat(matches.get(i).get("cosine").asDouble())
                    .isLessThanOrEqualTo(matches.get(i - 1).get("cosine").asDouble());
        }
        assertThat(Files.readString(Path.of(page))).contains("data:image/png").contains("4.png");

        assertThat(run("encode", "--clip", MODEL, "--images", folder.toString(), "--known", a, b, "--out", a + ".json"))
                .isZero();
        assertThat(out.toString()).contains("nothing to do");
        assertThat(Path.of(a + ".json")).doesNotExist();
    }

    @Test
    void numpyFilesHoldTheRowsAndTheirNames() throws IOException {
        encoded("a.npy", "--images", folder.resolve("a").toString());
        encoded("a.json", "--images", folder.resolve("a").toString());
        JsonNode json = new ObjectMapper().readTree(folder.resolve("a.json").toFile());
        byte[] bytes = Files.readAllBytes(folder.resolve("a.npy"));
        int start = 10 + ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getShort(8);
        int width = json.get("image_embeds").get(0).size();
        assertThat(start % 64).isZero();
        assertThat(new String(bytes, 10, start - 10, StandardCharsets.US_ASCII)).contains("(3, " + width + ")");
        assertThat(bytes).hasSize(start + 3 * width * 4);
        ByteBuffer values = ByteBuffer.wrap(bytes, start, bytes.length - start).order(ByteOrder.LITTLE_ENDIAN);
        json.get("image_embeds")
                .forEach(row ->
                        row.forEach(value -> assertThat(values.getFloat()).isEqualTo(value.floatValue())));
        assertThat(new ObjectMapper().readTree(folder.resolve("a.names.json").toFile()))
                .isEqualTo(json.get("images"));
    }

    /** Read back by the library that has written it; interop/parquet.py reads it with Arrow. */
    @Test
    void parquetFilesHoldTheRowsBesideTheirNames() throws IOException {
        encoded("a.parquet", "--images", folder.resolve("a").toString());
        encoded("a.json", "--images", folder.resolve("a").toString());
        JsonNode json = new ObjectMapper().readTree(folder.resolve("a.json").toFile());
        InputFile file = new LocalInputFile(folder.resolve("a.parquet"));
        try (ParquetFileReader reader = ParquetFileReader.open(
                        file,
                        ParquetReadOptions.builder(new PlainParquetConfiguration())
                                .build());
                PageReadStore pages = reader.readNextRowGroup()) {
            MessageType schema = reader.getFileMetaData().getSchema();
            assertThat(schema.toString())
                    .contains(
                            "required binary path (STRING)",
                            "required group embedding (LIST)",
                            "required float element");
            assertThat(reader.getFileMetaData().getKeyValueMetaData())
                    .containsEntry("model", MODEL)
                    .doesNotContainKey("images");
            assertThat(pages.getRowCount()).isEqualTo(3);
            RecordReader<Group> rows =
                    new ColumnIOFactory().getColumnIO(schema).getRecordReader(pages, new GroupRecordConverter(schema));
            for (int i = 0; i < 3; i++) {
                Group row = rows.read();
                assertThat(row.getString("path", 0))
                        .isEqualTo(json.at("/images/" + i).asText());
                Group list = row.getGroup("embedding", 0);
                JsonNode expected = json.at("/image_embeds/" + i);
                assertThat(list.getFieldRepetitionCount("list")).isEqualTo(expected.size());
                for (int k = 0; k < expected.size(); k++) {
                    assertThat(list.getGroup("list", k).getFloat("element", 0))
                            .isEqualTo(expected.get(k).floatValue());
                }
            }
        }
    }

    @Test
    void wrongFilesAndModelsAreNamed() {
        String a = encoded("a.safetensors", "--images", folder.resolve("a").toString());
        assertThat(run(
                        "search",
                        "--index",
                        a,
                        "--text",
                        "x",
                        "--clip",
                        Golden.model("siglip-hf").toString()))
                .isEqualTo(3);
        assertThat(err.toString()).contains("a.safetensors").contains("--clip");
        String weights =
                Golden.model("clip-hf-vit").resolve("model.safetensors").toString();
        assertThat(run("search", "--index", weights, "--text", "x")).isEqualTo(3);
        assertThat(err.toString()).contains("no embeddings");
        assertThat(run("search", "--index", a)).isEqualTo(2);
        assertThat(run("encode", "--clip", MODEL, "--text", "x", "--images", a, "--out", a + ".npy"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("one matrix");
    }
}
