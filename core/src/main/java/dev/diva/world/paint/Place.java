package dev.diva.world.paint;

import dev.diva.world.scene.Scene;
import java.util.List;
import java.util.OptionalInt;
import java.util.random.RandomGenerator;

/**
 * Where a thing stands: the middle of its foot and the side of its box, in units of a canvas of 48 x 48.
 *
 * @param hung the thing is up in the picture, so that what does not float needs a swing under it
 */
record Place(double x, double y, double size, boolean hung) {
    /** The places of a scene's things, in their order. */
    static List<Place> of(Scene scene, RandomGenerator random) {
        double x = random.nextDouble(-1, 1);
        double y = random.nextDouble(-1, 1);
        double size = random.nextDouble(-1, 1);
        OptionalInt relation = scene.relation();
        if (relation.isEmpty()) {
            return List.of(new Place(24 + 4 * x, 43.5 + 1.5 * y, 30 + 2 * size, false));
        }
        List<Place> places = relation.getAsInt() < 2
                ? List.of(
                        new Place(12.6 + x, 43 + 1.5 * y, 21.8 + size, false),
                        new Place(35.4 + x, 43 + 1.5 * y, 21.8 + size, false))
                : List.of(
                        new Place(24 + 6 * x, 21.8, 19.8 + 0.5 * size, true),
                        new Place(24 + 6 * y, 45.4, 19.8 + 0.5 * size, false));
        return relation.getAsInt() % 2 == 0 ? places : List.of(places.get(1), places.get(0));
    }
}
