package dev.diva.mllm;

import dev.diva.clip.TowerSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Names of LLaVA's tensors. Ours are those of its authors; transformers published others, and its version 4.52 saved a third form, which is also
 * what {@code state_dict()} gives since.
 */
final class LlavaNames {
    static final String PROJECTOR = "model.mm_projector.";
    static final String TOWER = "model.vision_tower.vision_tower.";

    /** Buffers of old files, which the code computes. */
    static final Pattern BUFFERS = Pattern.compile(".*\\.rotary_emb\\.inv_freq|.*\\.position_ids");

    /** What training programs put before all names. */
    private static final Pattern WRAPPERS = Pattern.compile("^((module|state_dict)\\.)+");

    /** How a stored name begins, and ours; the first that fits. */
    private static final Map<String, String> OURS = new LinkedHashMap<>();

    /** How ours begins, and what transformers publishes and every version of it reads. */
    private static final Map<String, String> PUBLISHED = new LinkedHashMap<>();

    static {
        OURS.put(TOWER, TOWER);
        for (String inner : new String[] {"model.", ""}) {
            OURS.put(inner + "multi_modal_projector.linear_1.", PROJECTOR + "0.");
            OURS.put(inner + "multi_modal_projector.linear_2.", PROJECTOR + "2.");
            OURS.put(inner + "vision_tower." + TowerSource.PREFIX, TOWER + TowerSource.PREFIX);
        }
        OURS.put("model.language_model.", "model.");
        OURS.put("language_model.model.", "model.");
        OURS.put("language_model.lm_head.", "lm_head.");
        PUBLISHED.put(PROJECTOR + "0.", "multi_modal_projector.linear_1.");
        PUBLISHED.put(PROJECTOR + "2.", "multi_modal_projector.linear_2.");
        PUBLISHED.put(TOWER, "vision_tower.");
        PUBLISHED.put("model.", "language_model.model.");
        PUBLISHED.put("lm_head.", "language_model.lm_head.");
    }

    private LlavaNames() {}

    /** Our name of a stored tensor of any form. */
    static String ours(String stored) {
        return replaced(OURS, WRAPPERS.matcher(stored).replaceFirst(""));
    }

    /** The name that transformers publishes. */
    static String published(String ours) {
        return replaced(PUBLISHED, ours);
    }

    private static String replaced(Map<String, String> prefixes, String name) {
        return prefixes.entrySet().stream()
                .filter(prefix -> name.startsWith(prefix.getKey()))
                .findFirst()
                .map(prefix ->
                        prefix.getValue() + name.substring(prefix.getKey().length()))
                .orElse(name);
    }
}
