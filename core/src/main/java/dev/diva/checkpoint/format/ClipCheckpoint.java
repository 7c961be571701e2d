package dev.diva.checkpoint.format;

import dev.diva.BadInputException;
import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.ComposedSource;
import dev.diva.checkpoint.TensorInfo;
import dev.diva.checkpoint.TensorSource;
import dev.diva.checkpoint.peft.PeftAdapter;
import dev.diva.checkpoint.pickle.PickleFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A CLIP or SigLIP on disk, in any layout that the world ships, under our names.
 *
 * @param folder where configuration, tokenizer and preprocessor files would lie
 * @param file what holds the tensors: a file or an index
 * @param format layout, found in the content
 * @param table its names
 * @param stored all tensors of the file under their own names, also those that do not belong to the CLIP
 * @param tensors the CLIP's tensors under our names
 * @param adapter what was merged into them, or null for nothing
 */
public record ClipCheckpoint(
        Path folder,
        Path file,
        CheckpointFormat format,
        NameTable table,
        TensorSource stored,
        TensorSource tensors,
        PeftAdapter adapter)
        implements AutoCloseable {
    private static final Pattern PARTS = Pattern.compile(
            "(vision_model|text_model|visual_projection|text_projection|caption_decoder)\\..*|logit_(scale|bias)");
    private static final String TEXT = "text_model.";
    private static final String VISION = "vision_model.";
    private static final List<String> HF_FILES = List.of(
            "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json");
    private static final List<String> OPEN_CLIP_FILES =
            List.of("open_clip_model.safetensors", "open_clip_pytorch_model.bin");
    /** What diva itself writes in OpenAI's layout, which has no name for a folder. */
    private static final List<String> OPENAI_FILES = List.of("model.pt");

    /** Opens a folder or a file; the layout is found in the content. */
    public static ClipCheckpoint open(Path path) {
        return open(path, null);
    }

    /**
     * Opens a folder or a file.
     *
     * @param flag the layout that the user named, or null to find it
     * @throws CheckpointException when nothing or more than one layout fits
     */
    public static ClipCheckpoint open(Path path, CheckpointFormat flag) {
        if (!Files.exists(path)) {
            throw new CheckpointException(path + ": no such file or folder");
        }
        Path place = Files.exists(path.resolve("recipe.yaml")) && Files.isDirectory(path.resolve("clip"))
                ? path.resolve("clip")
                : path;
        Optional<Path> adapter = PeftAdapter.folderAt(place);
        return adapter.isPresent() ? adapted(adapter.get(), flag) : whole(place, flag);
    }

    private static ClipCheckpoint whole(Path place, CheckpointFormat flag) {
        Path file = Files.isDirectory(place) ? fileIn(place, flag) : place;
        TensorSource stored = TensorFile.open(file);
        try {
            return of(file, stored, flag);
        } catch (RuntimeException e) {
            stored.close();
            throw e;
        }
    }

    private static ClipCheckpoint adapted(Path folder, CheckpointFormat flag) {
        Path base = new PeftAdapter(folder)
                .base("give the model as --clip and the adapter as --visual of encode, eval, inspect or export,"
                        + " or write its place into base_model_name_or_path");
        return with(whole(base, flag), folder);
    }

    /** Closes the base where the adapter does not fit it. */
    private static ClipCheckpoint with(ClipCheckpoint base, Path folder) {
        ComposedSource merged = new ComposedSource(base.tensors.location());
        merged.add(base.tensors, name -> name);
        try {
            PeftAdapter adapter = new PeftAdapter(folder);
            adapter.mergeInto(merged, name -> isBare(base, name) ? towerOf(base, adapter) + name : name);
            return new ClipCheckpoint(base.folder, base.file, base.format, base.table, base.stored, merged, adapter);
        } catch (RuntimeException e) {
            merged.close();
            throw e;
        }
    }

    /**
     * Opens a folder or a file with the image tower of another file, or with an adapter merged into it.
     *
     * @param visual the state dictionary of {@code model.visual} alone, by OpenAI's, open_clip's or timm's names, a folder of peft, or
     *     null for none
     * @throws CheckpointException when not every tensor of the tower is there, or one has no place
     */
    public static ClipCheckpoint open(Path path, CheckpointFormat flag, Path visual) {
        ClipCheckpoint base = open(path, flag);
        Optional<Path> adapter = visual == null ? Optional.empty() : PeftAdapter.folderAt(visual);
        if (visual == null || adapter.isPresent()) {
            return adapter.isEmpty() ? base : with(base, adapter.get());
        }
        try {
            TensorSource tensors = VisualSource.over(base.tensors, visual);
            return new ClipCheckpoint(
                    base.folder, base.file, base.format, base.table, base.stored, tensors, base.adapter);
        } catch (RuntimeException e) {
            base.close();
            throw e;
        }
    }

    /** transformers 5 calls the parts of a tower alone by names without it. */
    private static boolean isBare(ClipCheckpoint base, String name) {
        return base.tensors.info(name) == null
                && Stream.of(TEXT, VISION).anyMatch(tower -> base.tensors.info(tower + name) != null);
    }

    private static String towerOf(ClipCheckpoint base, PeftAdapter adapter) {
        if (adapter.baseClass().isEmpty() && base.hasText()) {
            throw new CheckpointException(adapter.files().get(0) + ": does not say of which tower of "
                    + base.file
                    + " its layers are; write the class that was adapted, say CLIPVisionModel, into base_model_class of"
                    + " auto_mapping");
        }
        return adapter.baseClass().contains("Text") ? TEXT : VISION;
    }

    private static Path fileIn(Path folder, CheckpointFormat flag) {
        Optional<Path> hf = first(folder, HF_FILES);
        Optional<Path> openClip = first(folder, OPEN_CLIP_FILES);
        if (flag == CheckpointFormat.HF && hf.isPresent()) {
            return hf.get();
        }
        if (flag == CheckpointFormat.OPEN_CLIP && openClip.isPresent()) {
            return openClip.get();
        }
        if (flag == null && hf.isPresent() && openClip.isPresent()) {
            throw new CheckpointException(folder + ": holds " + hf.get().getFileName() + " and "
                    + openClip.get().getFileName()
                    + "; give the path of the one that you mean, or say --format hf or --format open_clip (in recipes and"
                    + " suites the key format)");
        }
        return hf.or(() -> openClip)
                .or(() -> first(folder, OPENAI_FILES))
                .orElseThrow(() -> new CheckpointException(folder + ": holds none of " + HF_FILES + ", "
                        + OPEN_CLIP_FILES + ", " + OPENAI_FILES + "; for another file give its path"));
    }

    private static Optional<Path> first(Path folder, List<String> names) {
        return names.stream().map(folder::resolve).filter(Files::isRegularFile).findFirst();
    }

    private static ClipCheckpoint of(Path file, TensorSource stored, CheckpointFormat flag) {
        OtherFamilies.refuse(file, stored);
        List<Layout> layouts = Layout.find(stored);
        if (layouts.isEmpty()) {
            if (VisualSource.isIn(stored)) {
                throw new CheckpointException(file + ": an image tower alone, without a text tower and the number of"
                        + " heads; give the CLIP that it was trained from, and this file as --visual of encode, eval, inspect or"
                        + " export, whose result every command takes");
            }
            throw new CheckpointException(file + ": no CLIP in it: none of its "
                    + stored.tensors().size() + " tensors is a patch embedding by a known name" + example(stored));
        }
        if (layouts.size() > 1) {
            throw new CheckpointException(file + ": more than one CLIP in it: "
                    + layouts.stream().map(Layout::toString).collect(Collectors.joining(", ")));
        }
        Layout layout = layouts.get(0);
        Path folder = file.toAbsolutePath().getParent();
        CheckpointFormat format = layout.format(stored, Files.exists(folder.resolve("open_clip_config.json")));
        if (flag != null && !layout.fits(flag, format)) {
            throw new CheckpointException(file + ": is " + format.flag() + ", not " + flag.flag()
                    + " as was asked for; its layout is found without that");
        }
        requireNothingElse(stored, layout);
        TensorSource inner = layout.prefix().isEmpty() ? stored : PrefixedSource.of(stored, layout.prefix());
        TensorSource ours = TranslatedSource.toOurs(LongTexts.joined(inner), layout.table());
        requireKnownParts(file, ours);
        return new ClipCheckpoint(folder, file, flag == null ? format : flag, layout.table(), stored, ours, null);
    }

    /** A part without a name of ours is of another model, and would be passed over. */
    private static void requireKnownParts(Path file, TensorSource ours) {
        List<String> others = ours.tensors().stream()
                .map(TensorInfo::name)
                .filter(name -> !PARTS.matcher(name).matches())
                .toList();
        if (!others.isEmpty()) {
            throw new CheckpointException(file + ": holds " + others.get(0)
                    + (others.size() == 1 ? "" : " and " + (others.size() - 1) + " more")
                    + ", which no CLIP or SigLIP has: another model, which is not computed here");
        }
    }

    private static String example(TensorSource stored) {
        return stored.tensors().stream()
                .findFirst()
                .map(info -> " (the first is " + info.name() + ")")
                .orElse("");
    }

    private static void requireNothingElse(TensorSource stored, Layout layout) {
        List<String> strangers = new ArrayList<>();
        for (TensorInfo info : stored.tensors()) {
            if (!layout.expects(info.name(), stored)) {
                strangers.add(info.name());
            }
        }
        if (!strangers.isEmpty()) {
            throw new CheckpointException(stored.location() + ": the CLIP lies under " + layout.prefix() + "; unused: "
                    + strangers.stream().limit(20).collect(Collectors.joining(", "))
                    + (strangers.size() > 20 ? " and " + (strangers.size() - 20) + " more" : ""));
        }
    }

    /** Where in the file further CLIPs lie, which are not read: the moving averages that training programs keep beside the weights. */
    public List<String> passedOver() {
        return Layout.passedOver(stored);
    }

    /** Whether it is a TorchScript archive. */
    public boolean isScript() {
        return stored instanceof PickleFile pickle && pickle.isScript();
    }

    /** Whether it is a SigLIP. */
    public boolean isSiglip() {
        return tensors.info("vision_model.head.probe") != null && tensors.info("visual_projection.weight") == null;
    }

    /** Whether it has a text tower. */
    public boolean hasText() {
        return tensors.info("text_model.embeddings.token_embedding.weight") != null;
    }

    /** The file of the tensors and the small files beside it that belong to the checkpoint, and those of an adapter. */
    public List<Path> files() {
        Stream<Path> merged = adapter == null ? Stream.empty() : adapter.files().stream();
        try (Stream<Path> files = Files.list(folder)) {
            return Stream.concat(merged, files)
                    .filter(Files::isRegularFile)
                    .filter(one -> one.equals(file.toAbsolutePath())
                            || one.toString().endsWith(".json")
                            || (adapter != null && adapter.files().contains(one))
                            || file.toString().endsWith(".index.json"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new BadInputException(folder + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        tensors.close();
    }
}
