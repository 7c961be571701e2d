package dev.diva.posttrain.recipe;

import dev.diva.BadInputException;

/** Values of a recipe that are right alone and contradict each other. */
public final class Fit {
    private Fit() {}

    /**
     * Refuses a recipe whose keys do not fit its objective and stage.
     *
     * @throws BadInputException naming the keys and what to do
     */
    public static void require(Recipe recipe) {
        if (recipe.objective().hasStages()) {
            requireStage(recipe);
        }
        if (recipe.objective() == Recipe.ObjectiveName.DCR) {
            requireContrast(recipe);
        }
        refuse(
                recipe.guard().textsWeight() != 0 && recipe.guard().texts() == null,
                "guard.textsWeight is " + recipe.guard().textsWeight()
                        + " and guard.texts is not given: a file with a text on each line, short captions or names of classes");
        refuse(
                recipe.projection() != null && recipe.projection().init() == null,
                "projection.init is not given: a projection that is anchored in texts is made by diva anchor --clip "
                        + recipe.clip() + " --diffusion " + recipe.diffusion()
                        + " --captions FILE --out F; give it with"
                        + " --set projection.init=F, or set random");
        refuse(
                recipe.projection() != null
                        && recipe.projection().frozen()
                        && recipe.train().projectionSteps() >= recipe.train().steps(),
                "projection.frozen is true, and of train.steps "
                        + recipe.train().steps()
                        + " the first train.projectionSteps " + recipe.train().projectionSteps()
                        + " are the projection's: nothing would be left for the tower; give more steps");
        if (recipe.posterior() == Recipe.Posterior.SAMPLED && recipe.cache() != null) {
            throw new BadInputException("recipe: cache keeps one latent of a crop, and posterior: sampled takes another"
                    + " one each time; set posterior: mean, or leave the cache out");
        }
    }

    private static void requireStage(Recipe recipe) {
        String method = recipe.objective().key();
        if (recipe.isFirstStage()) {
            refuse(recipe.stage1() != null, "stage1 is for stage: 2; stage 1 starts from nothing");
            refuse(recipe.projectors() != null, "projectors is for stage: 2; stage 1 starts from nothing");
            refuse(recipe.guard().isOn(), "guard is for stage: 2; in stage 1 the CLIP does not change");
            refuse(recipe.average() != 1, "average is for stage: 2; in stage 1 the CLIP does not change");
            refuse(
                    recipe.eval() != null && recipe.eval().mmvp() != null,
                    "eval.mmvp is for stage: 2; in stage 1 the CLIP does not change");
            return;
        }
        boolean isThere = recipe.stage1() != null
                || (recipe.objective() == Recipe.ObjectiveName.DCR && recipe.projectors() != null);
        refuse(
                !isThere,
                "stage1 is not given: stage 2 of " + method + " starts from the run of stage 1; run that with --set"
                        + " stage=1, then give its folder with --set stage1=RUN");
    }

    private static void requireContrast(Recipe recipe) {
        refuse(
                recipe.train().batch() < 2,
                "train.batch is " + recipe.train().batch() + ", and dcr compares the images of a batch with each other;"
                        + " set it to 2 or more (the authors: 16)");
        refuse(
                recipe.train().draws() != 1,
                "train.draws is " + recipe.train().draws() + ", dcr has one draw for each image; set it to 1");
    }

    private static void refuse(boolean isWrong, String problem) {
        if (isWrong) {
            throw new BadInputException("recipe: " + problem);
        }
    }
}
