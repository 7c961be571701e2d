package dev.diva.demo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StudyTableTest {
    /** Mean 2, standard deviation 1, n 3: half width 4.303 / sqrt(3) = 2.484. */
    @Test
    void intervalIsStudentsOverTheSeeds() {
        assertThat(StudyTable.change(1, 2, 3)).isEqualTo("+2.0 [-0.5, +4.5]");
    }

    @Test
    void singleValueHasNoInterval() {
        assertThat(StudyTable.change(-1.25)).isEqualTo("-1.3");
    }
}
