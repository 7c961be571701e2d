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
    /** What training programs put around a state dictionary, in any order and number. */
    private static final Pattern WRAPPERS = Pattern.compile(
            "((state_dict|model_state_dict|params|model|module|clip_model|clip)\\.)*(class_model\\.model\\.)?");

    /** The key of a training checkpoint that holds the model, beside those of optimizers and the like. */
    private static final Pattern CONTAINER = Pattern.compile("(state_dict|model_state_dict|params|model)\\.");

    private static final String DIVA = "class_model.model.";

    /** Tensors of the DIVA authors' model that are not the CLIP: the projection, the unused classifier, and the frozen diffusion model. */
    private static final Pattern DIVA_OTHERS = Pattern.compile(
            "(visual_proj|class_model\\.final_fc|unet|vae|text_encoder)\\..*|class_model\\.(?!model\\.).*");

    private static final List<NameTable> TABLES =
            List.of(NameTable.HF, NameTable.TIMM_SIGLIP, NameTable.MOBILECLIP_B, NameTable.OPENAI);

    /** Every CLIP of a file: those under known wrappers, or else under any prefix. */
    static List<Layout> find(TensorSource stored) {
        List<Layout> layouts = find(stored, TABLES);
        return layouts.isEmpty() ? find(stored, List.of(NameTable.HF_VISION)) : layouts;
    }

    /** Prefixes of further CLIPs, which stand beside the one under known wrappers and are not read: moving averages of training programs. */
    static List<String> passedOver(TensorSource stored) {
        List<String> read = find(stored).stream().map(Layout::prefix).toList();
        return all(stored, TABLES).stream()
                .map(Layout::prefix)
                .filter(prefix -> !read.contains(prefix))
                .distinct()
                .toList();
    }

    private static List<Layout> find(TensorSource stored, List<NameTable> tables) {
        List<Layout> layouts = all(stored, tables);
        List<Layout> known = layouts.stream()
                .filter(layout -> WRAPPERS.matcher(layout.prefix).matches())
                .toList();
        return known.isEmpty() ? layouts : known;
    }

    private static List<Layout> all(TensorSource stored, List<NameTable> tables) {
        List<Layout> layouts = new ArrayList<>();
        for (NameTable table : tables) {
            for (TensorInfo info : stored.tensors()) {
                if (info.name().equals(table.anchor()) || info.name().endsWith("." + table.anchor())) {
                    String prefix = info.name()
                            .substring(0, info.name().length() - table.anchor().length());
                    layouts.add(new Layout(prefix, variant(stored, prefix, table)));
                }
            }
        }
        return layouts;
    }

    private static NameTable variant(TensorSource stored, String prefix, NameTable table) {
        if (table.is(NameTable.TIMM_SIGLIP)) {
            return NameTable.marked(NameTable.TIMM_CLIP, stored, prefix, table);
        }
        boolean customText = table.is(NameTable.OPENAI) && stored.info(prefix + NameTable.CUSTOM_TEXT.anchor()) != null;
        return customText ? NameTable.CUSTOM_TEXT : table;
    }

    /** The layout that the names and their surroundings tell. */
    CheckpointFormat format(TensorSource stored, boolean openClipConfig) {
        if (prefix.endsWith(DIVA)) {
            return CheckpointFormat.DIVA;
        }
        if (table.is(NameTable.HF) || table.is(NameTable.HF_VISION)) {
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
    boolean expects(String name, TensorSource stored) {
        if (name.startsWith(prefix)) {
            return true;
        }
        Matcher container = CONTAINER.matcher(prefix);
        if (stored instanceof PickleFile && container.lookingAt() && !name.startsWith(container.group())) {
            return true; // optimizer states and the like stand beside the wrapped dictionary, never inside it
        }
        String around = prefix.endsWith(DIVA) ? prefix.substring(0, prefix.length() - DIVA.length()) : null;
        return around != null
                && name.startsWith(around)
                && DIVA_OTHERS.matcher(name.substring(around.length())).matches();
    }

    @Override
    public String toString() {
        return table.name() + " under '" + prefix + "'";
    }
}
