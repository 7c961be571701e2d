package dev.diva.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.diva.BadInputException;
import dev.diva.world.scene.Attribute;
import dev.diva.world.scene.CaptionParser;
import dev.diva.world.scene.Captions;
import dev.diva.world.scene.Facet;
import dev.diva.world.scene.Scene;
import dev.diva.world.scene.SceneSampler;
import dev.diva.world.scene.Split;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What captions say, and that they say it without ambiguity. */
class CaptionsTest {
    private static final SceneSampler SAMPLER = new SceneSampler(3, Split.PRETRAIN);

    private static List<Scene> scenes(int count) {
        return LongStream.range(0, count).mapToObj(SAMPLER::scene).toList();
    }

    private static Scene withoutLook(Scene scene) {
        return new Scene(scene.background(), scene.things(), scene.relation(), 0);
    }

    @Test
    void fullCaptionParsesBackToTheScene() {
        for (Scene scene : scenes(20_000)) {
            String caption = Captions.full(scene);
            assertThat(CaptionParser.parse(caption)).as(caption).isEqualTo(withoutLook(scene));
        }
    }

    @Test
    void differentScenesHaveDifferentFullCaptions() {
        Map<String, Scene> seen = new HashMap<>();
        for (Scene scene : scenes(20_000)) {
            Scene before = seen.put(Captions.full(scene), withoutLook(scene));
            assertThat(before).isIn(null, withoutLook(scene));
        }
        assertThat(seen).hasSizeGreaterThan(10_000);
    }

    @Test
    void webCaptionTellsTheGistAndFewFineAttributes() {
        int facets = 0;
        int named = 0;
        for (int i = 0; i < 20_000; i++) {
            Scene scene = SAMPLER.scene(i);
            Scene told = CaptionParser.parse(Captions.web(scene, 0.03, SAMPLER.stream("caption", i)));
            assertThat(Captions.gist(told)).isEqualTo(Captions.gist(scene));
            facets += scene.facets().size();
            for (Facet facet : scene.facets()) {
                if (isNamed(told, facet)) {
                    named++;
                    assertThat(told.value(facet)).isEqualTo(scene.value(facet));
                }
            }
        }
        // about 90,000 draws: five standard deviations are 0.003
        assertThat((double) named / facets).isBetween(0.027, 0.033);
    }

    private static boolean isNamed(Scene told, Facet facet) {
        return facet.attribute() == Attribute.RELATION
                ? told.relation().isPresent()
                : told.things().get(facet.thing()).values().containsKey(facet.attribute());
    }

    @Test
    void wordsOfAllCaptionsAreInTheVocabulary() {
        List<String> vocabulary = Captions.vocabulary();
        assertThat(vocabulary).hasSizeBetween(80, 200).doesNotHaveDuplicates();
        for (Scene scene : scenes(5_000)) {
            assertThat(vocabulary).containsAll(List.of(Captions.full(scene).split(" ")));
            assertThat(vocabulary).containsAll(List.of(Captions.gist(scene).split(" ")));
        }
        assertThat(vocabulary).containsAll(List.of(Captions.PROMPT.trim().split(" ")));
    }

    @Test
    void articlesAndNumbersReadAsEnglish() {
        assertThat(Captions.full(CaptionParser.parse(
                        "an outlined red arrow pointing left to the right of four open blue boxes by the sea")))
                .isEqualTo("an outlined red arrow pointing left to the right of four open blue boxes by the sea");
        assertThat(Captions.gist(CaptionParser.parse("an outlined red arrow pointing left above two blocks indoors")))
                .isEqualTo("an arrow and blocks indoors");
    }

    @Test
    void unknownWordsAreNamedInTheError() {
        assertThatThrownBy(() -> CaptionParser.parse("a shiny cup by the sea"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("a shiny cup by the sea")
                .hasMessageContaining("\"shiny\"");
        assertThatThrownBy(() -> CaptionParser.parse("a cup in the bath"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("in the bath");
        assertThatThrownBy(() -> CaptionParser.parse("")).isInstanceOf(BadInputException.class);
    }
}
