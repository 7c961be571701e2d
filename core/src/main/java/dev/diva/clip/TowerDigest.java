package dev.diva.clip;

import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** SHA-256 over the names and values of a tower. */
final class TowerDigest {
    private TowerDigest() {}

    /**
     * Digests a text tower: what begins with {@code text_}.
     *
     * @param reading what else decides about the embedding of a text: tokenizer, precision
     */
    static String ofTexts(Map<String, Tensor> tensors, String reading) {
        MessageDigest digest = sha256();
        digest.update(reading.getBytes(StandardCharsets.UTF_8));
        tensors.forEach((name, tensor) -> {
            if (name.startsWith("text_")) {
                digest.update(name.getBytes(StandardCharsets.UTF_8));
                add(digest, tensor);
            }
        });
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Digests an image tower as it is stored, rounded to fp16: a copy in a shorter type is the same tower. */
    static String ofImages(TensorSource stored) {
        MessageDigest digest = sha256();
        stored.tensors().stream()
                .map(TensorInfo::name)
                .filter(name -> name.startsWith("vision_model.") || name.startsWith("visual_projection."))
                .sorted()
                .forEach(name -> {
                    digest.update(name.getBytes(StandardCharsets.UTF_8));
                    try (PointerScope scope = new PointerScope()) {
                        add(digest, stored.readOnce(name).to(ScalarType.Half));
                    }
                });
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void add(MessageDigest digest, Tensor tensor) {
        try (PointerScope scope = new PointerScope()) {
            Tensor values = tensor.detach().cpu().contiguous();
            long bytes = values.numel() * values.element_size();
            digest.update(new BytePointer(values.data_ptr())
                    .position(0)
                    .capacity(bytes)
                    .asByteBuffer());
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
