package dev.diva.mllm;

import java.util.List;

/** How a conversation becomes the text that a LLaVA continues, byte by byte. */
public enum PromptTemplate {
    /** LLaVA-1.5's evaluation and second stage. */
    VICUNA_V1 {
        @Override
        public String render(List<Turn> turns) {
            return system("user") + separated(turns);
        }
    },
    /** The same with other words for the user, as the authors of MMVP ask. */
    LLAVA_V1 {
        @Override
        public String render(List<Turn> turns) {
            return system("human") + separated(turns);
        }
    },
    /** Captions of the first stage: the last question alone. */
    PLAIN {
        @Override
        public String render(List<Turn> turns) {
            return turns.get(turns.size() - 1).question() + "\n";
        }
    },
    /** The chat template of the hub's folders: no system sentence. */
    LLAVA_HF {
        @Override
        public String render(List<Turn> turns) {
            StringBuilder text = new StringBuilder();
            for (Turn turn : turns) {
                text.append("USER: ").append(turn.question()).append(" ASSISTANT:");
                if (turn.answer() != null) {
                    text.append(' ').append(turn.answer()).append(' ');
                }
            }
            return text.toString();
        }
    },
    /** VLMEvalKit's: blanks around the image, and one at the end. */
    VLMEVALKIT {
        @Override
        public String render(List<Turn> turns) {
            return system("human") + separated(turns) + " ";
        }

        @Override
        public String ask(String question, boolean hasImage) {
            return render(List.of(new Turn(hasImage ? " " + IMAGE + " " + question : question, null)));
        }
    };

    /** What stands for an image. */
    public static final String IMAGE = "<image>";

    /**
     * A question and its answer.
     *
     * @param question with {@link #IMAGE} where the image belongs
     * @param answer null for the question that is asked
     */
    public record Turn(String question, String answer) {}

    /** The text of a conversation; only the last turn may lack its answer. */
    public abstract String render(List<Turn> turns);

    /** One question, about an image or not. */
    public String ask(String question, boolean hasImage) {
        String image = this == PLAIN ? IMAGE : IMAGE + "\n";
        return render(List.of(new Turn(hasImage ? image + question : question, null)));
    }

    private static String system(String user) {
        return "A chat between a curious " + user
                + " and an artificial intelligence assistant. The assistant gives helpful,"
                + " detailed, and polite answers to the " + user + "'s questions. ";
    }

    private static String separated(List<Turn> turns) {
        StringBuilder text = new StringBuilder();
        for (Turn turn : turns) {
            text.append("USER: ").append(turn.question()).append(" ASSISTANT:");
            if (turn.answer() != null) {
                text.append(' ').append(turn.answer()).append("</s>");
            }
        }
        return text.toString();
    }
}
