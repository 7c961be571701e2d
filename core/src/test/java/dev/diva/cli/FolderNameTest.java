package dev.diva.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class FolderNameTest {
    private static String of(String path) {
        return FolderName.ofAbsolute(path);
    }

    @Test
    void aPathThatLosesNothingGivesItsName() {
        assertThat(of("/models/san-B16/v1.0")).isEqualTo("models_san-B16_v1.0");
        assertThat(of("/" + "a".repeat(100))).isEqualTo("a".repeat(100));
    }

    @Test
    void eachPathGivesANameOfItsOwnThatStays() {
        String deep = "/" + "a".repeat(100);
        assertThat(Stream.of(
                                "/r/pr\u00e4",
                                "/r/pr\u00f6",
                                "/r/pr",
                                "/r/san_1",
                                "/r/san+1",
                                "/r/san/1",
                                "/r_san/1",
                                "/.a",
                                "/a",
                                "/\u0430",
                                "/\u0431",
                                "/b" + deep,
                                "/c" + deep)
                        .map(FolderNameTest::of))
                .doesNotHaveDuplicates()
                .allSatisfy(name -> assertThat(name).matches("[A-Za-z0-9-][A-Za-z0-9._-]{0,110}"));
        assertThat(of("/r/pr\u00e4")).isEqualTo("r_pr_-c6296334ad");
        assertThat(FolderName.of(Path.of("/r/x/../san"))).isEqualTo("r_san");
    }
}
