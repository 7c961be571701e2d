package dev.diva.checkpoint.pickle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.testing.Golden;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostileFilesTest {
    @ParameterizedTest
    @CsvSource({
        "'cposix\nsystem\n(Vtouch x\ntR.', posix.system",
        "'c__builtin__\neval\n(V1+1\ntR.', builtins.eval",
        "'cos\nsystem\n.', os.system",
        "'ccollections\nOrderedDict\n((lp0\n(Va\ncsubprocess\nPopen\n(Vls\ntRtp1\natR.', subprocess.Popen",
        "'(dVa\nctorch.storage\n_load_from_bytes\n(tRs.', torch.storage._load_from_bytes",
        "'ctorch._utils\n_rebuild_tensor_v2.__globals__\n.', __globals__",
        "'cfunctools\npartial\n.', functools.partial"
    })
    void dangerousGlobalsAreRefusedByName(String pickle, String global) {
        assertThatThrownBy(() -> read(pickle.getBytes(StandardCharsets.ISO_8859_1)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("refuses the global")
                .hasMessageContaining(global);
    }

    @Test
    void stackGlobalIsRefusedToo() {
        byte[] pickle = bytes(0x80, 4, 0x8c, 2, 'o', 's', 0x8c, 6, 's', 'y', 's', 't', 'e', 'm', 0x93, '.');
        assertThatThrownBy(() -> read(pickle)).hasMessageContaining("os.system");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cargparse\nNamespace\n(db.", // BUILD of a class
                "ccollections\nOrderedDict\n(dR.", // arguments that are no tuple
                "I1\n(tR.", // calling a number
                "(i", // INST
                "\u008b\u00ff\u00ff\u00ff\u007f.", // LONG4 of 2 GiB
                "\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f.", // BINUNICODE8 of 2^63 - 1
                "\u008e\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff.", // BINBYTES8 of -1
                "X\u00ff\u00ff\u00ff\u00ff.", // BINUNICODE of 4 GiB
                "r\u00ff\u00ff\u00ff\u007f.", // memo without a value
                "h\u0001.", // memo that is not there
                "a.",
                "t.",
                "R.",
                "b.",
                "u.",
                "Q.",
                "}]Ns.", // a key that is a list
                ""
            })
    void brokenPicklesAreErrors(String pickle) {
        assertThatThrownBy(() -> read(pickle.getBytes(StandardCharsets.ISO_8859_1)))
                .isInstanceOf(CheckpointException.class);
    }

    @Test
    void treesThatDoubleWithEveryLevelAreRefused() {
        StringBuilder pickle = new StringBuilder("]p0\n0"); // 60 lists, each holding the one before twice
        for (int i = 1; i <= 60; i++) {
            pickle.append("]p")
                    .append(i)
                    .append("\n(g")
                    .append(i - 1)
                    .append("\ng")
                    .append(i - 1)
                    .append("\ne0");
        }
        byte[] bomb = pickle.append("g60\n.").toString().getBytes(StandardCharsets.US_ASCII);
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(10),
                () -> assertThatThrownBy(() -> TensorTree.flatten("bomb", read(bomb)))
                        .isInstanceOf(CheckpointException.class)
                        .hasMessageContaining("without end"));
    }

    @Test
    void aListThatHoldsItselfIsRefused() {
        Object circle = read("]p0\ng0\na.".getBytes(StandardCharsets.US_ASCII));
        assertThatThrownBy(() -> TensorTree.flatten("circle", circle)).isInstanceOf(CheckpointException.class);
    }

    @Test
    void everyHeaderByteOfSafetensorsMayBeWrong(@TempDir Path folder) throws IOException {
        byte[] sound = Files.readAllBytes(Golden.model("open_clip-vit-gelu/open_clip_model.safetensors"));
        int header = 8
                + ByteBuffer.wrap(sound).order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt();
        Path file = folder.resolve("f.safetensors");
        int refused = 0;
        for (int i = 0; i < header; i++) {
            byte[] mutated = sound.clone();
            mutated[i] ^= (byte) (1 + i % 255);
            refused += survives(file, mutated) ? 0 : 1;
        }
        // A changed letter of a name is still a name.
        assertThat(refused).isGreaterThan(header / 3);
    }

    @ParameterizedTest
    @CsvSource({
        "open_clip-vit-gelu/open_clip_model.safetensors, 2500",
        "open_clip-vit-gelu/open_clip_pytorch_model.bin, 2500",
        "open_clip-vit-gelu/epoch_1.pt, 2500",
        "clip-openai-jit/ViT-state-dict.pt, 2500"
    })
    void mutatedFilesAreReadOrRefused(String golden, int mutations, @TempDir Path folder) throws IOException {
        byte[] sound = Files.readAllBytes(Golden.model(golden));
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(golden.hashCode());
        Path file = folder.resolve("f.pt");
        int refused = 0;
        for (int i = 0; i < mutations; i++) {
            refused += survives(file, mutate(sound, random)) ? 0 : 1;
        }
        assertThat(refused).isBetween(mutations / 20, mutations - 1);
    }

    /** A few bytes changed, mostly where structure lies (the first and last 10 KB), or the end cut off. */
    private static byte[] mutate(byte[] sound, RandomGenerator random) {
        if (random.nextInt(10) == 0) {
            return java.util.Arrays.copyOf(sound, random.nextInt(sound.length));
        }
        byte[] mutated = sound.clone();
        for (int k = 1 + random.nextInt(4); k > 0; k--) {
            int near = random.nextInt(10_000);
            int at = random.nextBoolean() ? near : sound.length - 1 - near;
            mutated[at] = (byte) (random.nextBoolean() ? random.nextInt(256) : mutated[at] ^ (1 << random.nextInt(8)));
        }
        return mutated;
    }

    /** True when the file was read whole, false when it was refused; anything else fails the test. */
    private static boolean survives(Path file, byte[] content) throws IOException {
        // A new file each time: an earlier one may still be mapped.
        Files.deleteIfExists(file);
        Files.write(file, content);
        try (PointerScope scope = new PointerScope();
                TensorSource source = TensorFile.open(file)) {
            TensorInfo last = null;
            for (TensorInfo info : source.tensors()) {
                last = info;
            }
            if (last != null) {
                assertThat(source.read(last.name()).shape()).isEqualTo(last.shape());
            }
            return true;
        } catch (CheckpointException e) {
            return false;
        }
    }

    private static Object read(byte[] pickle) {
        return Pickle.read("test", ByteBuffer.wrap(pickle));
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }
}
