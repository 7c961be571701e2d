package dev.diva.cli;

import dev.diva.data.DataFile;
import dev.diva.eval.ClassificationSet;
import dev.diva.eval.TextLines;
import dev.diva.eval.Wording;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Data sets with classes, and their words. */
final class EvalClasses {
    @Option(
            names = "--data",
            required = true,
            arity = "1..*",
            paramLabel = "PATH",
            converter = DataPlace.class,
            description =
                    "Folders in CLIP_benchmark's layout, here or behind http(s):// and s3://, or trees of a folder"
                            + " per class.")
    private List<DataFile> data;

    @Mixin
    private DataCacheOption dataCache;

    @Option(names = "--classnames", paramLabel = "FILE", description = "Class names, one a line.")
    private Path classNamesFile;

    @Option(names = "--classes", split = ",", paramLabel = "NAME", description = "Class names, by commas.")
    private List<String> classes = List.of();

    @Option(names = "--templates", paramLabel = "FILE", description = "Prompts with the slot {c}, one a line.")
    private Path templatesFile;

    @Option(names = "--template", paramLabel = "TEXT", description = "A prompt with the slot {c}; may be repeated.")
    private List<String> templates = List.of();

    /** Folders here or behind addresses. */
    static final class DataPlace implements ITypeConverter<DataFile> {
        @Override
        public DataFile convert(String text) {
            return DataFile.named(text);
        }
    }

    /** Opens every data set at a split. */
    List<ClassificationSet> open(String split) {
        dataCache.use();
        Wording wording = new Wording(
                classNamesFile == null ? classes : TextLines.classNames(classNamesFile),
                templatesFile == null ? templates : TextLines.templates(templatesFile));
        return data.stream()
                .map(folder -> ClassificationSet.open(folder, split, wording))
                .toList();
    }
}
