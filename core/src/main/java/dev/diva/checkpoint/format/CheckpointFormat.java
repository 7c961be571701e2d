package dev.diva.checkpoint.format;

import dev.diva.BadInputException;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Layouts of CLIP checkpoints. */
public enum CheckpointFormat {
    /** transformers: {@code CLIPModel}, {@code CLIPVisionModelWithProjection}, {@code SiglipModel}, with config.json. */
    HF("hf"),
    /** open_clip: a folder with open_clip_config.json, or a training checkpoint; CLIP and SigLIP. */
    OPEN_CLIP("open_clip"),
    /** OpenAI's original files: a TorchScript archive or a plain state dictionary. */
    OPENAI("openai"),
    /** The DIVA authors' released files: a whole training model with the CLIP inside. */
    DIVA("diva");

    private final String flag;

    CheckpointFormat(String flag) {
        this.flag = flag;
    }

    /** Its name on the command line. */
    public String flag() {
        return flag;
    }

    /**
     * The format of that name.
     *
     * @throws BadInputException when there is none
     */
    public static CheckpointFormat of(String flag) {
        return Arrays.stream(values())
                .filter(format -> format.flag.equals(flag))
                .findFirst()
                .orElseThrow(() -> new BadInputException("unknown checkpoint format " + flag + ", expected one of "
                        + Arrays.stream(values()).map(CheckpointFormat::flag).collect(Collectors.joining(", "))));
    }
}
