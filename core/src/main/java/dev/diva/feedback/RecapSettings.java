package dev.diva.feedback;

import dev.diva.BadInputException;
import dev.diva.clip.Backbone;
import dev.diva.clip.VisionConfig;

/**
 * The recap and its join with the text as recipes name them.
 *
 * @param tokens random, all, pooled or class
 * @param count of random tokens, or of condition tokens that the class token is projected to; or null
 * @param fraction of the patches that is drawn, or null
 * @param window of pooled tokens, or null
 * @param replacement whether random tokens may come twice
 * @param text elementwise, mean or none
 */
public record RecapSettings(
        String tokens, Integer count, Double fraction, Integer window, boolean replacement, String text) {
    private static final int PUBLISHED_COUNT = 76;
    /** About as many tokens as the published SigLIP recipes leave. */
    private static final double POOLED_TOKENS = 64;

    /** What the authors do with this tower. */
    public static RecapSettings of(Backbone.RecapDefault published) {
        return new RecapSettings(
                published.tokens(),
                published.count(),
                published.fraction(),
                published.window(),
                true,
                published.text());
    }

    /** For a tower that the authors do not know: 76 random tokens beside a class token or CoCa's first query, about 64 averages for SigLIP's kind. */
    public static RecapSettings of(VisionConfig vision) {
        if (vision.pooling() == VisionConfig.Pooling.CLASS_TOKEN || vision.pooling() == VisionConfig.Pooling.QUERIES) {
            return new RecapSettings("random", PUBLISHED_COUNT, null, null, true, "elementwise");
        }
        int window = (int) Math.max(1, Math.round(vision.numLocalTokens() / POOLED_TOKENS));
        return new RecapSettings("pooled", null, null, window, true, "mean");
    }

    /**
     * The strategy.
     *
     * @throws BadInputException when the tower has too few tokens for it
     */
    public Recap recap(long patches) {
        return switch (tokens) {
            case "all" -> new AllTokens();
            case "random" -> random(patches);
            case "pooled" -> pooled(patches);
            case "class" -> classToken();
            default ->
                throw new BadInputException("recap.tokens is " + tokens + ", expected random, all, pooled or class");
        };
    }

    /**
     * Refuses what a tower that takes pictures at their own ratio has no way to give: as many tokens for each picture, or random numbers that do
     * not depend on its patches.
     *
     * @throws BadInputException when the tower is such a one and the recap needs that
     */
    public void requireFits(VisionConfig vision) {
        if (!vision.form().flexible()) {
            return;
        }
        if (tokens.equals("random") && (count == null || !replacement)) {
            throw new BadInputException(
                    "recipe: recap.tokens is random, and each picture of a SigLIP 2 NaFlex has another"
                            + " number of patches; give recap.count, with recap.replacement: true, or set recap.tokens: pooled");
        }
        if (text.equals("elementwise") && (tokens.equals("all") || tokens.equals("pooled"))) {
            throw new BadInputException("recipe: recap.text is elementwise, and each picture of a SigLIP 2 NaFlex gives"
                    + " another number of tokens; set recap.text: mean");
        }
    }

    /** The join. */
    public TextJoin join() {
        return switch (text) {
            case "elementwise" -> TextJoin.ELEMENTWISE;
            case "mean" -> TextJoin.MEAN;
            case "none" -> TextJoin.NONE;
            default -> throw new BadInputException("recap.text is " + text + ", expected elementwise, mean or none");
        };
    }

    private Recap random(long patches) {
        if (count == null && fraction == null) {
            throw new BadInputException("recap.tokens is random: give recap.count or recap.fraction");
        }
        if (count != null && fraction != null) {
            throw new BadInputException("recap.count and recap.fraction are both given; set one of them to null");
        }
        RandomTokens recap = new RandomTokens(count == null ? 0 : count, fraction == null ? 0 : fraction, replacement);
        long local = recap.numTokens(patches) - 1;
        if (local < 1 || (!replacement && local > patches)) {
            throw new BadInputException("recap draws " + local + " of " + patches + " patches"
                    + (replacement ? "" : " without replacement") + "; change recap.count or recap.fraction");
        }
        return recap;
    }

    private Recap classToken() {
        if (count == null || count < 1) {
            throw new BadInputException(
                    "recap.tokens is class: give recap.count, the condition tokens that it becomes");
        }
        return new ClassToken(count);
    }

    private Recap pooled(long patches) {
        if (window == null || window < 1 || window > patches) {
            throw new BadInputException(
                    "recap.window is " + window + ", expected 1 to " + patches + ", the patches of" + " the tower");
        }
        return new PooledTokens(window);
    }
}
