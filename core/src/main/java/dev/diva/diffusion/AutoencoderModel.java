package dev.diva.diffusion;

import dev.diva.BadInputException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.Weights;
import dev.diva.checkpoint.format.NameTable;
import dev.diva.checkpoint.format.TensorFile;
import dev.diva.checkpoint.format.TranslatedSource;
import dev.diva.checkpoint.format.Unwrapped;
import dev.diva.engine.Placement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;

/** A frozen autoencoder without a denoiser: diffusers' folder, or FLUX.1's {@code ae.safetensors}. Not thread safe. */
public final class AutoencoderModel implements AutoCloseable {
    private static final String WEIGHTS = "diffusion_pytorch_model";

    /** Of FLUX.1, whose file tells neither. */
    private static final double FLUX_SCALE = 0.3611;

    private static final double FLUX_SHIFT = 0.1159;
    private static final long FLUX_GROUPS = 32;

    private final Weights weights;
    private final Autoencoder autoencoder;
    private final List<Path> files;
    private final List<String> notes;

    private AutoencoderModel(
            TensorSource source, AutoencoderShape shape, Placement placement, List<Path> files, List<String> notes) {
        this.files = files;
        this.notes = notes;
        this.weights = Weights.frozen(source, placement);
        try (PointerScope scope = new PointerScope()) {
            this.autoencoder = Autoencoder.readWhenUsed(weights, shape);
            weights.finish();
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /**
     * Loads one.
     *
     * @param path a folder with config.json and weights, or with such a {@code vae} inside; or the file {@code ae.safetensors} of FLUX.1
     * @throws BadInputException when it is no autoencoder, or its configuration and its tensors disagree
     */
    public static AutoencoderModel load(Path path, Placement placement) {
        if (Files.isRegularFile(path)) {
            return ofFlux(path, placement);
        }
        boolean isPart = Files.exists(path.resolve("config.json"));
        Path absolute = path.toAbsolutePath().normalize();
        String part = isPart ? absolute.getFileName().toString() : "vae";
        ModelFolder folder = new ModelFolder(isPart ? absolute.getParent() : path).requireKnownAutoencoder(part);
        AutoencoderShape shape = folder.autoencoder(part, "an autoencoder has a configuration");
        TensorSource stored = folder.weights(part, "encoder.conv_in.weight", WEIGHTS);
        return new AutoencoderModel(
                OldAutoencoderNames.translated(stored), shape, placement, folder.files(part), folder.notes());
    }

    private static AutoencoderModel ofFlux(Path file, Placement placement) {
        TensorSource stored = Unwrapped.of(TensorFile.open(file), NameTable.FLUX_AUTOENCODER.anchor());
        try {
            if (stored.info(NameTable.FLUX_AUTOENCODER.anchor()) == null) {
                throw new BadInputException(
                        file + ": no autoencoder of FLUX.1 in it: no " + NameTable.FLUX_AUTOENCODER.anchor()
                                + "; expected its ae.safetensors, or a folder of diffusers");
            }
            TensorSource ours = TranslatedSource.toOurs(stored, NameTable.FLUX_AUTOENCODER);
            return new AutoencoderModel(ours, shape(ours), placement, List.of(file), List.of());
        } catch (RuntimeException e) {
            stored.close();
            throw e;
        }
    }

    /** What the tensors tell. */
    private static AutoencoderConfig shape(TensorSource tensors) {
        List<Long> channels = new ArrayList<>();
        for (TensorInfo info = first(tensors, 0); info != null; info = first(tensors, channels.size())) {
            channels.add(info.shape()[0]);
        }
        int layers = 0;
        while (tensors.info("encoder.down_blocks.0.resnets." + layers + ".conv1.weight") != null) {
            layers++;
        }
        TensorInfo latent = tensors.info("decoder.conv_in.weight");
        boolean isConvolution = latent != null && latent.shape().length == 4;
        try {
            return new AutoencoderConfig(
                    isConvolution ? latent.shape()[1] : 0,
                    channels,
                    layers,
                    FLUX_GROUPS,
                    tensors.info("encoder.mid_block.attentions.0.to_q.weight") != null,
                    tensors.info("quant_conv.weight") != null,
                    FLUX_SCALE,
                    FLUX_SHIFT);
        } catch (IllegalArgumentException e) {
            throw new BadInputException(tensors.location() + ": " + e.getMessage(), e);
        }
    }

    private static TensorInfo first(TensorSource tensors, int level) {
        TensorInfo info = tensors.info("encoder.down_blocks." + level + ".resnets.0.conv1.weight");
        return info == null || info.shape().length != 4 ? null : info;
    }

    /** Between pixels and latents. */
    public Autoencoder autoencoder() {
        return autoencoder;
    }

    /** What was read, for manifests. */
    public List<Path> files() {
        return files;
    }

    /** What was passed over because nothing is known of it: a line each, for people. */
    public List<String> notes() {
        return notes;
    }

    @Override
    public void close() {
        weights.close();
    }
}
