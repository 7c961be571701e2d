package dev.diva.objective;

import static dev.diva.testing.Close.assertClose;
import static dev.diva.testing.Close.assertCloseToLargest;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.diva.checkpoint.LowRank;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.clip.Preprocessing;
import dev.diva.clip.TrainedPart;
import dev.diva.clip.VisionModel;
import dev.diva.engine.BatchDraws;
import dev.diva.engine.BatchShard;
import dev.diva.engine.Placement;
import dev.diva.engine.RandomStreams;
import dev.diva.engine.Tensors;
import dev.diva.feedback.NoiseProcess;
import dev.diva.testing.Golden;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** What the golden cases of GenHancer, DCR and un2CLIP share: their data, their LoRA and their optimizer, all from the case. */
public final class ObjectiveCase {
    public static final Placement PLACEMENT = Golden.placement();

    private final Golden golden;
    private final JsonNode json;

    public ObjectiveCase(String name) {
        this.golden = Golden.of(name);
        this.json = golden.json("case.json");
    }

    public Golden golden() {
        return golden;
    }

    public double tolerance() {
        return json.path("tolerance_abs_fp32").asDouble();
    }

    public int accumulation() {
        return json.path("optimizer").path("accumulation").asInt();
    }

    /** The micro-batches of a stage. */
    public List<Integer> microBatches(String stage) {
        List<Integer> all = new ArrayList<>();
        json.path("micro_batches").path(stage).forEach(k -> all.add(k.asInt()));
        return all;
    }

    public JsonNode json() {
        return json;
    }

    /** Rows of micro-batch k of a stack of images. */
    private Tensor rows(String images, int k) {
        Tensor all = golden.input(images);
        long batch = golden.input("micro.0.noise").size(0);
        TensorVector rows = new TensorVector();
        for (long i = 0; i < batch; i++) {
            rows.push_back(all.select(0, (batch * k + i) % all.size(0)));
        }
        return torch.stack(rows);
    }

    /** What the tower sees of micro-batch k. */
    public Tensor pixels(Preprocessing preprocessing, int k) {
        return normalised(rows("images_u8", k), preprocessing);
    }

    public static Tensor normalised(Tensor bytes, Preprocessing preprocessing) {
        Tensor mean = Tensors.of(preprocessing.mean(), 1, 3, 1, 1);
        Tensor std = Tensors.of(preprocessing.std(), 1, 3, 1, 1);
        return bytes.to(ScalarType.Float).div(new Scalar(255)).sub(mean).div(std);
    }

    /** What the autoencoder sees of it. */
    public Tensor autoencoderPixels(int k) {
        return rows("vae_images_u8", k)
                .to(ScalarType.Float)
                .div(new Scalar(127.5))
                .sub(new Scalar(1));
    }

    public static BatchDraws draws(long rows) {
        return new BatchDraws(new RandomStreams(1).stream("draws"), BatchShard.whole(rows));
    }

    /** The tower with the case's adapters. */
    public VisionModel withAdapters() {
        Set<String> layers = layers();
        JsonNode lora = json.path("lora");
        LowRank.Plan plan = new LowRank.Plan(
                lora.path("rank").asInt(),
                lora.path("alpha").asDouble(),
                TrainedPart.layersNamed(
                        Set.of("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2", "visual_projection")),
                new RandomStreams(1).stream("lora"),
                true,
                null);
        VisionModel vision = VisionModel.load(Golden.path("clip-hf-vit"), PLACEMENT, TrainedPart.adapters(plan));
        Set<String> adapted = new TreeSet<>();
        try (NoGradGuard noGrad = new NoGradGuard()) {
            vision.parameters().forEach((name, value) -> {
                if (name.endsWith(".lora_A.weight")) {
                    adapted.add(name);
                    value.copy_(golden.input("init." + name));
                }
            });
        }
        assertThat(adapted).isEqualTo(layers);
        return vision;
    }

    private Set<String> layers() {
        Set<String> layers = new TreeSet<>();
        json.path("inputs").fieldNames().forEachRemaining(name -> {
            if (name.startsWith("init.")) {
                layers.add(name.substring("init.".length()));
            }
        });
        return layers;
    }

    /** Asserts the gradients that the case has under a prefix. */
    public void assertGradients(String prefix, Map<String, Tensor> parameters) {
        int count = 0;
        for (TensorInfo info : golden.expected().tensors()) {
            if (info.name().startsWith(prefix)) {
                String name = info.name().substring(prefix.length());
                assertThat(parameters).containsKey(name);
                assertCloseToLargest(parameters.get(name).grad(), golden.expected(info.name()), 1e-3, 1e-6);
                count++;
            }
        }
        assertThat(count).isPositive();
    }

    /** Asserts the weights that the case has under a prefix. */
    public void assertWeights(String prefix, Map<String, Tensor> tensors) {
        int count = 0;
        for (TensorInfo info : golden.expected().tensors()) {
            if (info.name().startsWith(prefix)) {
                String name = info.name().substring(prefix.length());
                assertThat(tensors).containsKey(name);
                assertClose(
                        tensors.get(name),
                        golden.expected(info.name()),
                        0,
                        json.path("tolerance_weights").asDouble());
                count++;
            }
        }
        assertThat(count).isPositive();
    }

    /** Every tensor of a tower with adapters merged: W + alpha / rank B A. */
    public Map<String, Tensor> merged(VisionModel vision) {
        double scale = json.path("lora").path("alpha").asDouble()
                / json.path("lora").path("rank").asDouble();
        Map<String, Tensor> merged = new HashMap<>(vision.tensors());
        try (NoGradGuard noGrad = new NoGradGuard()) {
            for (String name : vision.parameters().keySet()) {
                if (name.endsWith(".lora_A.weight")) {
                    String layer = name.substring(0, name.length() - ".lora_A.weight".length());
                    Tensor delta = vision.parameters()
                            .get(layer + ".lora_B.weight")
                            .matmul(vision.parameters().get(name))
                            .mul(new Scalar(scale));
                    merged.put(
                            layer + ".weight",
                            vision.tensors().get(layer + ".weight").add(delta));
                }
            }
        }
        return merged;
    }

    /** The case's AdamW with its clipping, one step; by the definition of torch.optim.AdamW. */
    public final class Adam {
        private final Map<String, Tensor> parameters;
        private final Map<String, Tensor> means = new HashMap<>();
        private final Map<String, Tensor> squares = new HashMap<>();
        private int count;

        public Adam(Map<String, Tensor> parameters) {
            this.parameters = parameters;
        }

        /** @return the norm of the gradient before clipping */
        public double step() {
            JsonNode o = json.path("optimizer");
            double beta1 = o.path("betas").get(0).asDouble();
            double beta2 = o.path("betas").get(1).asDouble();
            double rate = o.path("lr").asDouble();
            count++;
            try (NoGradGuard noGrad = new NoGradGuard()) {
                double sum = 0;
                for (Tensor parameter : parameters.values()) {
                    sum += parameter.grad().defined()
                            ? parameter.grad().square().sum().item_double()
                            : 0;
                }
                double norm = Math.sqrt(sum);
                double max = o.path("max_grad_norm").isNumber()
                        ? o.path("max_grad_norm").asDouble()
                        : Double.MAX_VALUE;
                double factor = Math.min(1, max / (norm + 1e-6));
                parameters.forEach((name, parameter) -> {
                    if (!parameter.grad().defined()) {
                        return;
                    }
                    Tensor gradient = parameter.grad().mul(new Scalar(factor));
                    Tensor mean = means.computeIfAbsent(
                            name, n -> torch.zeros_like(parameter).retainReference());
                    Tensor square = squares.computeIfAbsent(
                            name, n -> torch.zeros_like(parameter).retainReference());
                    parameter.mul_(new Scalar(1 - rate * o.path("weight_decay").asDouble()));
                    mean.mul_(new Scalar(beta1)).add_(gradient.mul(new Scalar(1 - beta1)));
                    square.mul_(new Scalar(beta2)).add_(gradient.square().mul(new Scalar(1 - beta2)));
                    Tensor spread = square.div(new Scalar(1 - Math.pow(beta2, count)))
                            .sqrt()
                            .add(new Scalar(o.path("eps").asDouble()));
                    parameter.sub_(mean.div(new Scalar(1 - Math.pow(beta1, count)))
                            .div(spread)
                            .mul(new Scalar(rate)));
                    parameter.grad().zero_();
                });
                return norm;
            }
        }
    }

    /** A process that gives draws of the case instead of its own. */
    public static final class GivenNoise implements NoiseProcess {
        private final NoiseProcess process;
        private Draw next;

        public GivenNoise(NoiseProcess process) {
            this.process = process;
        }

        public void next(Tensor levels, Tensor noise) {
            next = new Draw(levels, noise);
        }

        @Override
        public Draw draw(Tensor latents, BatchDraws draws) {
            Tensor levels = next.levels();
            return new Draw(
                    levels.is_floating_point() ? levels.to(latents.device(), ScalarType.Float) : levels,
                    next.noise().to(latents.device(), ScalarType.Float));
        }

        @Override
        public Tensor noisy(Tensor latents, Draw draw) {
            return process.noisy(latents, draw);
        }

        @Override
        public Tensor target(Tensor latents, Draw draw) {
            return process.target(latents, draw);
        }
    }
}
