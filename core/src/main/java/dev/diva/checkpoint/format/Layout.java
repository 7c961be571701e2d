package dev.diva.checkpoint.format;

import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.pickle.PickleFile;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where in a file a CLIP lies and whose names it has.
 *
 * @param prefix before every name of the CLIP, with its last dot
 */
record Layout(String prefix, NameTable table) {
    /** What training programs put around a state dictionary, from outside to inside. */
    private static final Pattern PREFIX = Pattern.compile(
            "(?<wrapper>(state_dict|model_state_dict|model|params)\\.)?(module\\.)?(?<diva>class_model\\.model\\.)?");

    /** Tensors of the DIVA authors' model that are not the CLIP: the projection, the unused classifier, and the frozen diffusion model. */
    private static final Pattern DIVA_OTHERS =
            Pattern.compile("(module\\.)?(visual_proj|class_model\\.final_fc|unet|vae|text_encoder)\\..*|"
                    + "(module\\.)?class_model\\.(?!model\\.).*");

    static List<Layout> find(TensorSource stored) {
        List<Layout> layouts = new ArrayList<>();
        for (NameTable table : List.of(NameTable.HF, NameTable.TIMM_SIGLIP, NameTable.OPENAI)) {
            for (TensorInfo info : stored.tensors()) {
                if (info.name().endsWith(table.anchor())) {
                    String prefix = info.name()
                            .substring(0, info.name().length() - table.anchor().length());
                    if (PREFIX.matcher(prefix).matches()) {
                        layouts.add(new Layout(prefix, variant(stored, prefix, table)));
                    }
                }
            }
        }
        return layouts;
    }

    private static NameTable variant(TensorSource stored, String prefix, NameTable table) {
        boolean customText = table.is(NameTable.OPENAI) && stored.info(prefix + NameTable.CUSTOM_TEXT.anchor()) != null;
        return customText ? NameTable.CUSTOM_TEXT : table;
    }

    /** The layout that the names and their surroundings tell. */
    CheckpointFormat format(TensorSource stored, boolean openClipConfig) {
        if (group("diva") != null) {
            return CheckpointFormat.DIVA;
        }
        if (table.is(NameTable.HF)) {
            return CheckpointFormat.HF;
        }
        boolean script = stored instanceof PickleFile pickle && pickle.isScript();
        // OpenAI and open_clip share their names; what OpenAI published is bare, and open_clip's checkpoints are
        // wrapped or have a config.
        boolean bare = prefix.isEmpty() && table.is(NameTable.OPENAI) && !openClipConfig;
        return script || bare ? CheckpointFormat.OPENAI : CheckpointFormat.OPEN_CLIP;
    }

    /** Whether the user may call it that: the names decide, except between OpenAI and open_clip. */
    boolean fits(CheckpointFormat flag, CheckpointFormat found) {
        boolean shared = table.is(NameTable.OPENAI) && found != CheckpointFormat.DIVA;
        return flag == found || (shared && (flag == CheckpointFormat.OPENAI || flag == CheckpointFormat.OPEN_CLIP));
    }

    /** Whether a stored name is part of the CLIP or known to stand beside it. */
    boolean expects(String name) {
        if (name.startsWith(prefix)) {
            return true;
        }
        if (group("diva") != null) {
            return DIVA_OTHERS
                    .matcher(name.substring(
                            group("wrapper") == null ? 0 : group("wrapper").length()))
                    .matches();
        }
        // Optimizer states and the like stand beside the wrapped dictionary, never inside it.
        return group("wrapper") != null && !name.startsWith(group("wrapper"));
    }

    private String group(String name) {
        Matcher matcher = PREFIX.matcher(prefix);
        return matcher.matches() ? matcher.group(name) : null;
    }

    @Override
    public String toString() {
        return table.name() + " under '" + prefix + "'";
    }
}
