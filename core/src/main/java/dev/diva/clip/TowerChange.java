package dev.diva.clip;

import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.engine.Tensors;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * How far training has moved an image tower: |w - w0| / |w0| over all its weights as {@code towerChange}, over those of a layer as {@code
 * towerChange/layer 07}, and over what is in no layer as {@code towerChange/embeddings and head}. 0 is untouched.
 */
final class TowerChange {
    private static final String WHOLE = "towerChange";
    private static final Pattern TOWER = Pattern.compile("(vision_model|visual_projection)\\..*");
    private static final Pattern LAYER = Pattern.compile(".*\\.layers\\.(\\d+)\\..*");

    private TowerChange() {}

    static Map<String, Double> between(TensorSource untouched, TensorSource trained) {
        Map<String, double[]> squares = new TreeMap<>(); // of the difference and of the untouched weights
        for (TensorInfo info : untouched.tensors()) {
            if (TOWER.matcher(info.name()).matches() && info.dtype().scalarType() != ScalarType.Long) {
                double[] both = squares(untouched, trained, info.name());
                add(squares, WHOLE, both);
                add(squares, WHOLE + "/" + part(info.name()), both);
            }
        }
        Map<String, Double> change = new LinkedHashMap<>();
        squares.forEach((name, both) -> change.put(name, Math.sqrt(both[0] / both[1])));
        return change;
    }

    private static double[] squares(TensorSource untouched, TensorSource trained, String name) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            Tensor before = untouched.readOnce(name).to(ScalarType.Double);
            Tensor after = trained.readOnce(name).to(ScalarType.Double);
            return new double[] {sum(after.sub(before).square()), sum(before.square())};
        }
    }

    private static double sum(Tensor x) {
        return Tensors.toFloats(x.sum().to(ScalarType.Float))[0];
    }

    private static String part(String name) {
        Matcher layer = LAYER.matcher(name);
        return layer.matches()
                ? String.format(Locale.ROOT, "layer %02d", Integer.parseInt(layer.group(1)))
                : "embeddings and head";
    }

    private static void add(Map<String, double[]> sums, String name, double[] both) {
        sums.merge(name, both, (a, b) -> new double[] {a[0] + b[0], a[1] + b[1]});
    }
}
