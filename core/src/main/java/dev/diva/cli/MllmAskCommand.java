package dev.diva.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.data.ImageDecoder;
import dev.diva.data.ImageEntry;
import dev.diva.data.RasterImage;
import dev.diva.engine.Precision;
import dev.diva.language.Generation;
import dev.diva.mllm.Answer;
import dev.diva.mllm.ImageAspect;
import dev.diva.mllm.ImageTokens;
import dev.diva.mllm.Llava;
import dev.diva.mllm.PromptTemplate;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** One question, one answer. */
@Command(
        name = "ask",
        mixinStandardHelpOptions = true,
        description = "Ask a LLaVA-1.5 about an image; the answer appears as it grows.")
public final class MllmAskCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--llava",
            converter = ModelPath.class,
            required = true,
            paramLabel = "DIR",
            description = "LLaVA-1.5 in either layout, or what a training stage left.")
    private Path llava;

    @Option(
            names = "--format",
            converter = FormatName.class,
            description = "Layout of --tower: hf, open_clip, openai or diva. Default: found in it.")
    private CheckpointFormat format;

    @Option(names = "--base", paramLabel = "DIR", description = "Model beneath an adapter. Default: its config's.")
    private Path base;

    @Option(
            names = "--tower",
            paramLabel = "MODEL",
            description = "See with this CLIP; or 'config' or 'checkpoint' where the folder has two towers.")
    private String tower;

    @Option(names = "--image", paramLabel = "FILE", description = "The image. Without one, text alone.")
    private Path image;

    @ArgGroup(multiplicity = "1")
    private Question question;

    @Option(
            names = "--template",
            defaultValue = "VICUNA_V1",
            description = "What stands around --text: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private PromptTemplate template;

    @Option(
            names = "--image-aspect",
            defaultValue = "pad",
            converter = MllmModels.AspectName.class,
            description = "pad to a square, as LLaVA, or crop the centre, as the hub's processor. Default: pad.")
    private ImageAspect aspect;

    @Option(names = "--max-new-tokens", defaultValue = "1024", description = "Default: ${DEFAULT-VALUE}.")
    private int maxNewTokens;

    @Option(names = "--temperature", defaultValue = "0", description = "0, the default, takes the likeliest token.")
    private double temperature;

    @Option(names = "--seed", defaultValue = "0", description = "Of the draws at a temperature. Default: 0.")
    private long seed;

    @Option(
            names = "--precision",
            converter = PrecisionName.class,
            description = PrecisionName.NAMES + "Default: bf16 where the machine multiplies it fast.")
    private Precision precision;

    @Mixin
    private ThreadsOption threads;

    @Mixin
    private DeviceOption device;

    @Option(names = "--json", description = "Print JSON: text, tokens, promptTokens, complete.")
    private boolean json;

    /** In words, or as the model gets it. */
    static final class Question {
        @Option(names = "--text", required = true, paramLabel = "QUESTION", description = "The question alone.")
        private String text;

        @Option(
                names = "--prompt",
                required = true,
                paramLabel = "TEXT",
                description = "The whole prompt, byte by byte, with <image>.")
        private String prompt;
    }

    @Override
    public Integer call() throws JsonProcessingException {
        Llava.Options options = new Llava.Options(
                        precision == null ? device.fastest() : precision, threads.count(), tower, format, base)
                .withDevice(device.name());
        Generation generation = generation();
        String prompt = question.prompt != null ? question.prompt : template.ask(question.text, image != null);
        RasterImage picture = image == null
                ? null
                : ImageDecoder.reference().decode(ImageEntry.of(image).read(), image.toString());
        PrintWriter out = spec.commandLine().getOut();
        Warnings.print(spec, Llava.check(llava, options));
        try (Llava model = Llava.load(llava, options);
                ImageTokens seen = picture == null ? null : model.image(picture, aspect)) {
            if (json) {
                Answer answer = model.answer(prompt, seen, generation);
                out.println(new ObjectMapper().writeValueAsString(answer));
            } else {
                model.answer(prompt, seen, generation, piece -> {
                    out.print(piece);
                    out.flush();
                });
                out.println();
            }
            out.flush();
        }
        return 0;
    }

    private Generation generation() {
        if (maxNewTokens < 1 || !(temperature >= 0) || Double.isInfinite(temperature)) {
            throw misused("--max-new-tokens is at least 1, --temperature 0 or more");
        }
        return new Generation(maxNewTokens, temperature, seed);
    }

    private ParameterException misused(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
