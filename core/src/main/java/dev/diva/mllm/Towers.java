package dev.diva.mllm;

import dev.diva.BadInputException;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.format.CheckpointFormat;
import dev.diva.clip.TowerSource;
import dev.diva.hub.Models;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which tower a LLaVA sees with. In its authors' layout there may be two: the one that the config names, and one inside the checkpoint. */
final class Towers {
    /** The one inside the checkpoint. */
    static final String INNER = "checkpoint";
    /** The one that the config names. */
    static final String NAMED = "config";

    /** OpenAI's names: {@code clip-vit-large-patch14-336}; without a number, 224 pixels. */
    private static final Pattern PUBLISHED = Pattern.compile("openai/clip-vit-\\w+-patch(\\d+)(-(\\d+))?");

    private final LlavaFolder llava;
    private final LlavaConfig config;
    private final CheckpointFormat format; // null to find it

    Towers(LlavaFolder llava) {
        this(llava, null);
    }

    /** @param format layout of a tower outside of the LLaVA, or null to find it */
    Towers(LlavaFolder llava, CheckpointFormat format) {
        this.llava = llava;
        this.config = llava.config();
        this.format = format;
    }

    /**
     * Opens the tower.
     *
     * @param wish {@link #INNER}, {@link #NAMED}, the path of a CLIP, or null for the only one that there is
     * @throws BadInputException when two differ and nobody says which, or it does not fit
     */
    TowerSource open(String wish) {
        TowerSource tower = openForAnyProjector(wish);
        try {
            requireFit(tower);
            return tower;
        } catch (RuntimeException e) {
            tower.close();
            throw e;
        }
    }

    /** The same without asking whether it fits the projector. */
    TowerSource openForAnyProjector(String wish) {
        return config.layout() == LlavaConfig.Layout.HF ? inHubLayout(wish) : inAuthorsLayout(wish);
    }

    private TowerSource inHubLayout(String wish) {
        if (NAMED.equals(wish)) {
            throw new BadInputException(
                    llava.folder() + ": the config of this layout names no tower; leave --tower out");
        }
        return wish == null || wish.equals(INNER) ? described() : TowerSource.open(Models.resolve(wish), format);
    }

    private TowerSource described() {
        return TowerSource.inside(
                llava.innerTower(), config.vision(), llava.folder().resolve("preprocessor_config.json"));
    }

    private TowerSource inAuthorsLayout(String wish) {
        if (wish != null && !wish.equals(INNER) && !wish.equals(NAMED)) {
            return TowerSource.open(Models.resolve(wish), format);
        }
        Optional<Path> place = LlavaFolder.place(llava.folder(), config.towerName());
        boolean takesInner = INNER.equals(wish) || (wish == null && config.takesInnerTower() && llava.hasInnerTower());
        if (takesInner) {
            return inner(place);
        }
        if (wish == null && llava.hasInnerTower()) {
            requireSame(place);
        }
        return TowerSource.open(
                place.orElseThrow(() -> new BadInputException(llava.folder() + ": its config names the tower \""
                        + config.towerName() + "\", which is no folder here; say where it is with --tower MODEL")),
                format);
    }

    private TowerSource inner(Optional<Path> place) {
        if (!llava.hasInnerTower()) {
            throw new BadInputException(
                    llava.tensors().location() + ": holds no tower; leave --tower out, or name a CLIP");
        }
        if (place.isEmpty()) {
            return TowerSource.undescribed(llava.innerTower());
        }
        try (TowerSource named = TowerSource.open(place.get(), format)) {
            return named.withTensors(llava.innerTower());
        }
    }

    private void requireSame(Optional<Path> place) {
        String choose = "; say which with --tower " + NAMED + " (LLaVA's own code takes it) or --tower " + INNER;
        if (place.isEmpty()) {
            throw new BadInputException(llava.tensors().location() + ": holds a tower, and the config names another, \""
                    + config.towerName() + "\", which is no folder here" + choose);
        }
        try (TowerSource named = TowerSource.open(place.get(), format)) {
            TensorSource inner = llava.innerTower();
            for (TensorInfo info : named.parts()) {
                boolean isSame = inner.info(info.name()) != null
                        && LlavaFolder.isSame(named.tensors(), info.name(), inner, info.name());
                if (!isSame) {
                    throw new BadInputException(llava.tensors().location() + ": holds a tower that differs from "
                            + place.get() + ", which the config names, in " + info.name() + choose);
                }
            }
        }
    }

    /**
     * Refuses a tower that the projector was not made for.
     *
     * @throws BadInputException for another width or another number of tokens
     */
    void requireFit(TowerSource tower) {
        long width = tower.config().transformer().hiddenSize();
        if (width != config.visionWidth()) {
            throw new BadInputException(tower.location() + ": a tower of width " + width + ", but the projector of "
                    + llava.folder() + " takes " + config.visionWidth());
        }
        long patches = tower.config().numPatches();
        OptionalLong expected = patches();
        if (expected.isPresent() && expected.getAsLong() != patches) {
            throw new BadInputException(tower.location() + ": a tower of " + patches + " image tokens, but "
                    + llava.folder() + " was trained with " + expected.getAsLong());
        }
    }

    /** Patches of the tower that it came with, where anything tells. */
    private OptionalLong patches() {
        if (config.layout() == LlavaConfig.Layout.HF) {
            try (TowerSource own = described()) {
                return OptionalLong.of(own.config().numPatches());
            }
        }
        Optional<Path> place = LlavaFolder.place(llava.folder(), config.towerName());
        if (place.isPresent()) {
            try (TowerSource named = TowerSource.open(place.get(), format)) {
                return OptionalLong.of(named.config().numPatches());
            }
        }
        TensorInfo positions = llava.innerTower().info(TowerSource.PREFIX + "embeddings.position_embedding.weight");
        if (positions != null) {
            return OptionalLong.of(positions.shape()[0] - 1);
        }
        Matcher published = PUBLISHED.matcher(config.towerName());
        if (published.matches()) {
            long size = published.group(3) == null ? 224 : Long.parseLong(published.group(3));
            long side = size / Long.parseLong(published.group(1));
            return OptionalLong.of(side * side);
        }
        return OptionalLong.empty();
    }
}
