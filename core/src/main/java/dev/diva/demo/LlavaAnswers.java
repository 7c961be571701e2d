package dev.diva.demo;

import dev.diva.data.ImageDecoder;
import dev.diva.engine.Precision;
import dev.diva.eval.mllm.Answerer;
import dev.diva.eval.mllm.Item;
import dev.diva.eval.mllm.Picture;
import dev.diva.language.Generation;
import dev.diva.mllm.ImageAspect;
import dev.diva.mllm.ImageTokens;
import dev.diva.mllm.Llava;
import dev.diva.mllm.PromptTemplate;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;

/** A small LLaVA that answers with a letter. */
final class LlavaAnswers implements Answerer, AutoCloseable {
    private static final int LETTER = 3; // tokens, the end among them
    private static final Llava.Options ONE_THREAD = new Llava.Options(Precision.FP32, 1, null, null, null);

    private final String name;
    private final Llava llava;
    private final BooleanSupplier isStopped;

    LlavaAnswers(String name, Path folder, BooleanSupplier isStopped) {
        this.name = name;
        this.llava = Llava.load(folder, ONE_THREAD);
        this.isStopped = isStopped;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void answer(Picture picture, List<Item> items, BiConsumer<Item, String> answered) {
        if (isStopped.getAsBoolean()) {
            throw new Stopped();
        }
        try (ImageTokens image =
                llava.image(ImageDecoder.reference().decode(picture.read(), picture.name()), ImageAspect.PAD)) {
            for (Item item : items) {
                String prompt = PromptTemplate.VICUNA_V1.ask(item.asked(), true);
                answered.accept(
                        item,
                        llava.answer(prompt, image, Generation.greedy(LETTER)).text());
            }
        }
    }

    @Override
    public void close() {
        llava.close();
    }
}
