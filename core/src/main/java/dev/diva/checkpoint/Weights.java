package dev.diva.checkpoint;

import dev.diva.NearestName;
import dev.diva.engine.Int8Weight;
import dev.diva.engine.Placement;
import dev.diva.engine.Precision;
import dev.diva.engine.Scopes;
import dev.diva.engine.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The tensors that a model is built from, seen under a prefix. A block asks for each tensor with the shape that it expects; problems are
 * collected, and {@link #finish} reports them and the keys that nobody asked for in one error. A model that was finished is a
 * model that fits its checkpoint.
 *
 * <p>Frozen tensors stay views of the mapped file when the stored type is the one computed in; wide kernels of bf16 convolutions are
 * copied, channels last. Matrices that are multiplied in int8 are copies. Trained tensors are fp32 copies that require gradients: the
 * masters. All of them live until {@link #close}.
 */
public final class Weights implements AutoCloseable {
    private final Loading loading;
    private final String prefix;
    private final boolean isRead;
    private final boolean isInt8;

    private Weights(Loading loading, String prefix, boolean isRead, boolean isInt8) {
        this.loading = loading;
        this.prefix = prefix;
        this.isRead = isRead;
        this.isInt8 = isInt8;
    }

    /** Weights that never change and get no gradient. */
    public static Weights frozen(TensorSource source, Placement placement) {
        return trained(source, placement, name -> false);
    }

    /**
     * Weights of which some are trained.
     *
     * @param isTrained which full names become fp32 masters that require gradients
     */
    public static Weights trained(TensorSource source, Placement placement, Predicate<String> isTrained) {
        return new Weights(new Loading(source, placement, isTrained), "", true, false);
    }

    /** The same weights, with low-rank adapters added to some layers. */
    public Weights withAdapters(LowRank.Plan plan) {
        loading.adapterPlan = plan;
        return this;
    }

    /**
     * The same weights for a model that is used once: frozen matrices of linear layers stay in the stored type, views of the mapped file, and
     * each call converts them, which is sooner done than asking for memory for all. The file's pages stay, until the system wants them.
     */
    public Weights usedOnce() {
        loading.isUsedOnce = true;
        return this;
    }

    /**
     * The same weights for a part that is built later or never: every tensor is checked against what the file says of it, none is read.
     * What is built from this view gets zeros, for its constructor alone.
     */
    public Weights unread() {
        return new Weights(loading, prefix, false, false);
    }

    /** The same weights for layers that multiply whole numbers where the precision is {@link Precision#INT8}. */
    public Weights inInt8() {
        return new Weights(loading, prefix, isRead, isRead && loading.placement.precision() == Precision.INT8);
    }

    /** The same weights seen under {@code name.}. */
    public Weights at(String name) {
        return new Weights(loading, prefix + name + ".", isRead, isInt8);
    }

    /** The same weights seen under {@code name.index.}. */
    public Weights at(String name, int index) {
        return at(name + "." + index);
    }

    /** Whether the checkpoint has a tensor of that name under this prefix. */
    public boolean has(String name) {
        return loading.source.info(prefix + name) != null;
    }

    /**
     * A tensor of products and convolutions: in the precision of the placement when frozen, fp32 when trained.
     *
     * @param shape what the model expects
     */
    public Tensor matrix(String name, long... shape) {
        return take(name, loading.placement.precision().dtype(), shape);
    }

    /** The matrix of a linear layer, which converts it to the type of what it multiplies. */
    public Tensor linear(String name, long out, long in) {
        TensorInfo info = loading.isUsedOnce ? loading.source.info(prefix + name) : null;
        return info == null ? matrix(name, out, in) : take(name, info.dtype().scalarType(), out, in);
    }

    /** A tensor of sums and norms: fp32 in every precision. */
    public Tensor vector(String name, long... shape) {
        return take(name, ScalarType.Float, shape);
    }

    /** A tensor that never learns, whatever else does: what training counted, not what it taught. fp32 in every precision. */
    public Tensor statistic(String name, long... shape) {
        loading.statistics.add(prefix + name);
        return vector(name, shape);
    }

    /** The matrix of a linear layer as whole numbers; empty where it multiplies real ones. */
    public Optional<Int8Weight> int8(String name, long out, long in) {
        return isInt8 ? Optional.of(loading.takeInt8(prefix + name, out, in)) : Optional.empty();
    }

    private Tensor take(String name, ScalarType frozenType, long... shape) {
        return isRead ? loading.take(prefix + name, frozenType, shape) : loading.check(prefix + name, shape);
    }

    /**
     * The adapter of the linear layer under this prefix, if it has one; its masters are named {@code lora_A.weight} and {@code
     * lora_B.weight}, as peft does.
     */
    public Optional<LowRank> adapter(long out, long in) {
        return isRead ? loading.adapter(prefix, out, in) : Optional.empty();
    }

    /** Every adapter by the name of its layer. */
    public Map<String, LowRank> adapters() {
        return Collections.unmodifiableMap(loading.adapters);
    }

    /** Keeps what a model computed from its settings alone, for instance a table of positions, until {@link #close}. */
    public Tensor keep(Tensor computed) {
        loading.computed.add(Scopes.keep(computed));
        return computed;
    }

    /** Declares keys that may be present and are not read; each format keeps its own short list with reasons. */
    public void ignore(Pattern names) {
        loading.ignored.add(names);
    }

    /**
     * Ends the construction of a model.
     *
     * @throws CheckpointException that lists every missing, misshapen and unused key
     */
    public void finish() {
        loading.finish();
    }

    /** Every tensor that was asked for, by full name, in the order of asking. */
    public Map<String, Tensor> tensors() {
        return Collections.unmodifiableMap(loading.taken);
    }

    /** The trained ones among {@link #tensors}. */
    public Map<String, Tensor> parameters() {
        Map<String, Tensor> parameters = new LinkedHashMap<>();
        loading.taken.forEach((name, tensor) -> {
            if (tensor.requires_grad()) {
                parameters.put(name, tensor);
            }
        });
        return parameters;
    }

    /** Where the model computes, and in which precision. */
    public Placement placement() {
        return loading.placement;
    }

    /** Where the tensors come from, for messages. */
    public String location() {
        return loading.source.location();
    }

    /** Frees every tensor and closes the source. */
    @Override
    public void close() {
        loading.taken.values().forEach(Scopes::release);
        loading.taken.clear();
        loading.computed.forEach(Scopes::release);
        loading.computed.clear();
        loading.source.close();
    }

    /** What all views of one checkpoint share. */
    private static final class Loading {
        /** Kernels between fewer channels convolve too little to matter. */
        private static final long WIDE_KERNEL = 300;

        private static final String BIAS = ".bias";
        /** Told of one checkpoint. */
        private static final int PROBLEMS = 10;
        /** Behind so many a model is not built on: its config may ask for a million layers. */
        private static final int ENOUGH = 100;

        private final TensorSource source;
        private final Placement placement;
        private final Predicate<String> isTrained;
        private final Map<String, Tensor> taken = new LinkedHashMap<>();
        private final List<Tensor> computed = new ArrayList<>();
        private final Set<String> checked = new HashSet<>();
        private final Set<String> statistics = new HashSet<>();
        private final List<Pattern> ignored = new ArrayList<>();
        private final List<String> problems = new ArrayList<>();
        private final Map<String, LowRank> adapters = new LinkedHashMap<>();
        private LowRank.Plan adapterPlan; // null for none
        private boolean isUsedOnce;

        Loading(TensorSource source, Placement placement, Predicate<String> isTrained) {
            this.source = source;
            this.placement = placement;
            this.isTrained = isTrained;
        }

        Tensor take(String name, ScalarType frozenType, long... shape) {
            Tensor known = taken.get(name);
            if (known != null) {
                return known;
            }
            requireFit(name, shape);
            boolean fits = problems.isEmpty();
            Tensor tensor = fits ? load(name, frozenType) : Scopes.keep(zeros(shape));
            taken.put(name, tensor);
            return tensor;
        }

        /** Of the stored numbers, which do not stay. */
        Int8Weight takeInt8(String name, long... shape) {
            requireFit(name, shape);
            try (PointerScope scope = new PointerScope()) {
                Tensor stored = problems.isEmpty() ? source.readOnce(name).to(ScalarType.Float) : zeros(shape);
                Int8Weight weight = Int8Weight.of(stored);
                BrokenWeights.refuse(source.location(), name, weight.scales());
                taken.put(name, Scopes.keep(weight.values()));
                computed.add(Scopes.keep(weight.scales()));
                return weight;
            }
        }

        Tensor check(String name, long... shape) {
            requireFit(name, shape);
            checked.add(name);
            return zeros(shape);
        }

        /** A single number seen everywhere. */
        private static Tensor zeros(long... shape) {
            return torch.zeros(1).sum().expand(shape);
        }

        private void requireFit(String name, long... shape) {
            source.expect(name, shape);
            TensorInfo info = source.info(name);
            if (info == null) {
                problems.add("missing " + name + " " + Arrays.toString(shape) + nearest(name));
            } else if (!Arrays.equals(info.shape(), shape)) {
                problems.add(name + " is " + Arrays.toString(info.shape()) + ", expected " + Arrays.toString(shape));
            }
            if (problems.size() == ENOUGH) {
                throw unfit("; and more");
            }
        }

        private Tensor load(String name, ScalarType frozenType) {
            try (PointerScope scope = new PointerScope()) {
                if (!statistics.contains(name) && (isTrained.test(name) || isAdaptedBias(name))) {
                    Tensor master = converted(source.readOnce(name), ScalarType.Float, true, MemoryFormat.Contiguous);
                    return Scopes.keep(master.set_requires_grad(true));
                }
                boolean isConverted = source.info(name).dtype().scalarType().intern() != frozenType.intern();
                Tensor stored = isConverted ? source.readOnce(name) : source.read(name);
                MemoryFormat layout = isWideKernel(stored, frozenType) || isKernelOfAGpu(stored)
                        ? MemoryFormat.ChannelsLast
                        : MemoryFormat.Preserve;
                return Scopes.keep(converted(stored, frozenType, false, layout));
            }
        }

        /** In one pass over the memory, but for fp16. */
        private Tensor converted(Tensor stored, ScalarType type, boolean copy, MemoryFormat format) {
            boolean isFp16 = stored.scalar_type().intern() == ScalarType.Half;
            Tensor near = isFp16 && !copy ? Tensors.as(stored, type) : stored;
            return near.to(placement.device(), type, false, copy, new MemoryFormatOptional(format));
        }

        /** GPUs convolve with channels last in either format; the kernel's layout decides that of the image. */
        private boolean isKernelOfAGpu(Tensor tensor) {
            return !placement.device().is_cpu() && tensor.dim() == 4 && tensor.size(3) > 1;
        }

        /**
         * Whether it is a kernel that bf16 convolves up to twice as fast with channels last; its layout decides that of the image. In fp32
         * the layout stays that of the reference, and so do the sums.
         */
        private static boolean isWideKernel(Tensor tensor, ScalarType type) {
            return type == ScalarType.BFloat16
                    && tensor.dim() == 4
                    && tensor.size(3) > 1
                    && tensor.size(0) * tensor.size(1) >= WIDE_KERNEL;
        }

        private boolean isAdaptedBias(String name) {
            return adapterPlan != null
                    && adapterPlan.biases()
                    && name.endsWith(BIAS)
                    && adapterPlan.targets().test(name.substring(0, name.length() - BIAS.length()));
        }

        Optional<LowRank> adapter(String prefix, long out, long in) {
            String layer = prefix.substring(0, prefix.length() - 1);
            if (adapterPlan == null || !adapterPlan.targets().test(layer)) {
                return Optional.empty();
            }
            return Optional.of(adapters.computeIfAbsent(layer, name -> newAdapter(name, out, in)));
        }

        private LowRank newAdapter(String layer, long out, long in) {
            double bound = 1 / Math.sqrt(in); // Kaiming-uniform with a = sqrt(5)
            long rank = adapterPlan.rank();
            AdapterDropout dropout = adapterPlan.dropout();
            try (PointerScope scope = new PointerScope()) {
                Tensor down =
                        torch.empty(rank, in).uniform_(-bound, bound, new GeneratorOptional(adapterPlan.generator()));
                return new LowRank(
                        master(layer + ".lora_A.weight", down),
                        master(layer + ".lora_B.weight", torch.zeros(out, rank)),
                        adapterPlan.alpha() / rank,
                        x -> dropout == null ? null : dropout.mask(layer, x));
            }
        }

        private Tensor master(String name, Tensor value) {
            Tensor master =
                    Scopes.keep(value.to(placement.device(), ScalarType.Float).set_requires_grad(true));
            taken.put(name, master);
            return master;
        }

        private String nearest(String name) {
            Set<String> free = unused();
            return free.isEmpty() ? "" : " (nearest: " + NearestName.of(name, free) + ")";
        }

        private Set<String> unused() {
            return source.tensors().stream()
                    .map(TensorInfo::name)
                    .filter(name -> !taken.containsKey(name) && !checked.contains(name))
                    .filter(name ->
                            ignored.stream().noneMatch(p -> p.matcher(name).matches()))
                    .collect(Collectors.toCollection(TreeSet::new));
        }

        void finish() {
            unused().forEach(name -> problems.add("unused " + source.info(name)));
            if (!problems.isEmpty()) {
                int more = problems.size() - PROBLEMS;
                throw unfit(more > 0 ? "; and " + more + " more" : "");
            }
        }

        private CheckpointException unfit(String rest) {
            return new CheckpointException(source.location() + ": does not fit the model: "
                    + problems.stream().limit(PROBLEMS).collect(Collectors.joining("; "))
                    + rest);
        }
    }
}
