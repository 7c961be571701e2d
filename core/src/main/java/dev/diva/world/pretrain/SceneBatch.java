package dev.diva.world.pretrain;

import dev.diva.train.MicroBatch;
import java.util.List;

/**
 * Captioned scenes of one forward pass.
 *
 * @param scenes index of each
 */
record SceneBatch(List<Integer> scenes) implements MicroBatch {
    SceneBatch {
        scenes = List.copyOf(scenes);
    }

    @Override
    public List<String> names() {
        return scenes.stream().map(scene -> "scene " + scene).toList();
    }

    int[] indices() {
        return scenes.stream().mapToInt(Integer::intValue).toArray();
    }
}
