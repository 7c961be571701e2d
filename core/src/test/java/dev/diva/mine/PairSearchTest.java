package dev.diva.mine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.data.ImageEntry;
import dev.diva.eval.MmvpReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PairSearchTest {
    @TempDir
    Path folder;

    private static float[] angle(double degrees) {
        double radians = Math.toRadians(degrees);
        return new float[] {(float) Math.cos(radians), (float) Math.sin(radians)};
    }

    @Test
    void alikeForClipAndDifferentForTheOtherIsFoundWithItsCosines() {
        float[][] clip = {angle(0), angle(5), angle(90), angle(91)};
        float[][] other = {angle(0), angle(80), angle(0), angle(10)};
        List<BlindPair> pairs = PairSearch.DEFAULT.find(clip, other);
        assertThat(pairs).hasSize(1);
        assertThat(pairs.get(0).first()).isZero();
        assertThat(pairs.get(0).second()).isEqualTo(1);
        assertThat(pairs.get(0).clipCosine()).isCloseTo((float) Math.cos(Math.toRadians(5)), within(1e-6f));
        assertThat(pairs.get(0).otherCosine()).isCloseTo((float) Math.cos(Math.toRadians(80)), within(1e-6f));
    }

    private static org.assertj.core.data.Offset<Float> within(float offset) {
        return org.assertj.core.api.Assertions.within(offset);
    }

    /** Control: every pair held and sorted. */
    @Test
    void blocksFindWhatTheSearchOfAllPairsFinds() {
        Random random = new Random(4);
        float[][] clip = new float[101][];
        float[][] other = new float[101][];
        for (int i = 0; i < clip.length; i++) {
            clip[i] = angle(30 * random.nextDouble());
            other[i] = angle(120 * random.nextDouble());
        }
        List<BlindPair> all = new ArrayList<>();
        for (int i = 0; i < clip.length; i++) {
            for (int j = i + 1; j < clip.length; j++) {
                float clipCosine = clip[i][0] * clip[j][0] + clip[i][1] * clip[j][1];
                float otherCosine = other[i][0] * other[j][0] + other[i][1] * other[j][1];
                if (clipCosine > 0.95 && otherCosine < 0.6) {
                    all.add(new BlindPair(i, j, clipCosine, otherCosine));
                }
            }
        }
        all.sort(BlindPair.WIDEST_FIRST);
        PairSearch search = new PairSearch(0.95, 0.6, 40, 1000);
        List<BlindPair> found = search.find(clip, other, 7);
        assertThat(found).hasSize(40);
        for (int i = 0; i < 40; i++) {
            assertThat(found.get(i).gap()).isCloseTo(all.get(i).gap(), org.assertj.core.api.Assertions.within(1e-6));
        }
        assertThat(search.find(clip, other, 1000)).isEqualTo(found);
    }

    @Test
    void imageAndItsNearDuplicateAreUsedOnce() {
        float[][] clip = {angle(0), angle(0.5), angle(1), angle(1.5)};
        float[][] other = {angle(0), angle(0.1), angle(90), angle(170)};
        assertThat(PairSearch.DEFAULT.find(clip, other))
                .extracting(pair -> pair.first() + "-" + pair.second())
                .containsExactly("0-3"); // 1 is a duplicate of 0, so that 2 has no partner left
        assertThat(new PairSearch(0.95, 0.6, 150, 2).find(clip, other)).hasSizeGreaterThan(1);
    }

    @Test
    void oneImageIsNoSet() {
        assertThatThrownBy(() -> PairSearch.DEFAULT.find(new float[][] {angle(0)}, new float[][] {angle(0)}))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("at least two");
    }

    @Test
    void folderIsReadAsMmvpVlmOnceItHasStatements() throws IOException {
        List<ImageEntry> images = new ArrayList<>();
        for (String name : List.of("a.jpg", "b.png")) {
            images.add(ImageEntry.of(Files.write(folder.resolve(name), new byte[] {1})));
        }
        Path out = folder.resolve("mined");
        List<BlindPair> pairs = List.of(new BlindPair(1, 0, 0.97f, 0.3f));
        assertThat(PairFolder.write(out, pairs, images).get(0).images().get(0)).hasFileName("1.png");
        assertThatThrownBy(() -> MmvpReader.read(out, MmvpReader.Missing.FAIL))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("row 2: empty statement");
        assertThatThrownBy(() -> PairFolder.write(out, pairs, images)).hasMessageContaining("exists");
        Path table = out.resolve("Questions.csv");
        Files.writeString(
                table,
                Files.readString(table).replace("1,Mined,", "1,Mined,a dog").replace("2,Mined,", "2,Mined,a cat"));
        assertThat(MmvpReader.read(out, MmvpReader.Missing.FAIL).pairs()).hasSize(1);
        assertThat(Files.readString(out.resolve("pairs.csv"))).contains("1,0.97,0.3,");
    }
}
