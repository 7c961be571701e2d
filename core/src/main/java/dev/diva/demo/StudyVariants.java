package dev.diva.demo;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** What the study compares; see docs/study.md. */
final class StudyVariants {
    /** As the demo holds its tower. */
    private static final String[] HELD = {"guard.textsWeight=10.0", "average=0.8"};

    /** GenHancer's denoiser, told of the class token of the untouched tower. */
    static final Variant GENHANCER_STAGE1 = new Variant(
            "genhancer",
            "genhancer",
            null,
            List.of(
                    "stage=1",
                    "denoiser.width=96",
                    "denoiser.heads=4",
                    "denoiser.token=96",
                    "denoiser.vector=96",
                    "denoiser.double=2",
                    "denoiser.single=2",
                    "train.steps=2000",
                    "train.lr=1.0e-3"));

    /** DCR's projector; a batch is compared with itself, so that its cost is that of its square. */
    static final Variant DCR_STAGE1 = new Variant(
            "dcr", "dcr", null, List.of("stage=1", "train.steps=300", "train.batch=8", "train.accumulate=2"));

    private static final Variant GENHANCER = new Variant("GenHancer", "genhancer", GENHANCER_STAGE1, List.of());

    private static final Variant DCR =
            new Variant("DCR", "dcr", DCR_STAGE1, List.of("train.steps=200", "train.batch=8", "train.accumulate=2"));

    /** What un2CLIP does with a generator of this world: frozen, and the whole tower learns. */
    private static final Variant UN2CLIP =
            new Variant("un2CLIP's idea", "genhancer", GENHANCER_STAGE1, List.of("trainable.mode=full"));

    private static final Variant LONGER = Variant.ANCHORED.with(
            "anchored, longer", "train.steps=1200", "guard.weight=0.3", "guard.textsWeight=16", "average=1.0");

    /** Errors as of the noise, which are 0.07 (the mean of abar) of the velocity's; the guard is as strong beside them. */
    private static final Variant LOSS_OF_THE_NOISE =
            Variant.ANCHORED.with("loss of the noise", "timesteps.weight=noise", "guard.textsWeight=0.7");

    /** Those whose pairs are told by pattern. */
    static final List<Variant> BY_PATTERN = List.of(Variant.ANCHORED, LONGER, Variant.PUBLISHED);

    /** The other methods, as they are. */
    static final List<Variant> METHODS = List.of(GENHANCER, DCR, UN2CLIP);

    /** Our recipe, its parts, the paper's, and the other methods. */
    static final List<Variant> ALL = all();

    /** As the table has them. */
    static final Comparator<Variant> ORDER = Comparator.comparingInt(ALL::indexOf);

    private StudyVariants() {}

    private static List<Variant> all() {
        List<Variant> all = new ArrayList<>(List.of(
                Variant.ANCHORED,
                Variant.WRONG_IMAGES,
                LONGER,
                LONGER.with("longer, wrong images", "latents=shuffled"),
                Variant.PUBLISHED,
                Variant.PUBLISHED.with("published recap, held", HELD),
                Variant.PUBLISHED.with("published recap, wrong images", "latents=shuffled"),
                Variant.ANCHORED.with("not averaged", "average=1.0"),
                Variant.ANCHORED.with("guard of all directions", "guard.weight=1.5", "guard.textsWeight=0.0"),
                Variant.ANCHORED.with("no guard", "guard.textsWeight=0.0"),
                Variant.ANCHORED.with("random projection", "projection.init=random", "recap.count=1"),
                Variant.ANCHORED.with("all noise levels", "timesteps.min=0"),
                LOSS_OF_THE_NOISE));
        for (Variant method : METHODS) {
            all.add(method);
            all.add(method.with(method.name() + ", held", HELD));
        }
        all.add(GENHANCER.with("GenHancer, wrong images", "latents=shuffled"));
        all.add(UN2CLIP.with("un2CLIP's idea, wrong images", "latents=shuffled"));
        return List.copyOf(all);
    }
}
