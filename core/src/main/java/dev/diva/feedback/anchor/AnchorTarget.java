package dev.diva.feedback.anchor;

import dev.diva.diffusion.DiffusionModel;
import dev.diva.diffusion.PromptStates;
import java.util.Locale;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** What of a teacher's text states an embedding is to become. */
public enum AnchorTarget {
    /** Their mean: one token. All that a DiT is told. */
    MEAN {
        @Override
        Tensor of(PromptStates.Encoded text) {
            return text.states().mean(new long[] {1}, true, new ScalarTypeOptional());
        }
    },
    /** The state of the end of the text: one token, in which a causal encoder has seen all of it. */
    END {
        @Override
        Tensor of(PromptStates.Encoded text) {
            TensorVector rows = new TensorVector();
            for (int i = 0; i < text.ends().length; i++) {
                rows.push_back(text.states().select(0, i).narrow(0, text.ends()[i], 1));
            }
            return torch.stack(rows);
        }
    },
    /** All of them. */
    STATES {
        @Override
        Tensor of(PromptStates.Encoded text) {
            return text.states();
        }
    };

    /** What a denoiser that attends to tokens is told is all of them; a DiT takes their mean. */
    public static AnchorTarget of(DiffusionModel teacher) {
        return teacher.takesMean() ? MEAN : STATES;
    }

    /** Condition tokens of captions, [captions, tokens, width]. */
    abstract Tensor of(PromptStates.Encoded text);

    /** As options name it. */
    public String flag() {
        return name().toLowerCase(Locale.ROOT);
    }
}
