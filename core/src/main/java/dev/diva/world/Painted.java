package dev.diva.world;

import dev.diva.world.paint.SceneRenderer;
import dev.diva.world.scene.Scene;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;

/** A scene and the bytes of its PNG file. Painting is spread over the processors; what is done with the files is in order. */
record Painted(Scene scene, byte[] png) {
    private static final int AT_ONCE = 512;

    /** Where a scene comes from. */
    interface Source {
        Scene scene(int index);
    }

    /** What is done with a painted scene. */
    interface Sink {
        void accept(int index, Painted painted) throws IOException;
    }

    static void each(int count, Source source, SceneRenderer renderer, Sink sink) throws IOException {
        for (int start = 0; start < count; start += AT_ONCE) {
            List<Painted> some = IntStream.range(start, Math.min(count, start + AT_ONCE))
                    .parallel()
                    .mapToObj(index -> paint(source.scene(index), renderer))
                    .toList();
            for (int i = 0; i < some.size(); i++) {
                sink.accept(start + i, some.get(i));
            }
        }
    }

    private static Painted paint(Scene scene, SceneRenderer renderer) {
        return new Painted(scene, ImageFormats.png(renderer.render(scene)));
    }
}
