package dev.diva;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.EvaluationResult;
import dev.diva.engine.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Which package may use which; where libtorch, printing and exiting are allowed. CONTRIBUTING.md has the same map. */
class ArchitectureTest {
    private static final JavaClasses DIVA = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.diva");

    /** A package and the packages of ours that it may use. A new package needs a line here. */
    private static final Map<String, Set<String>> MAY_USE = new TreeMap<>(Map.ofEntries(
            Map.entry("engine", Set.of()),
            Map.entry("checkpoint", Set.of("engine", "hub")),
            Map.entry("data", Set.of("hub")),
            Map.entry("hub", Set.of()),
            Map.entry("model", Set.of("checkpoint", "engine")),
            Map.entry("clip", Set.of("model", "checkpoint", "engine", "data")),
            Map.entry("diffusion", Set.of("language", "model", "checkpoint", "engine")),
            Map.entry("language", Set.of("model", "checkpoint", "engine")),
            Map.entry("mllm", Set.of("train", "language", "clip", "model", "checkpoint", "engine", "data", "hub")),
            Map.entry("feedback", Set.of("train", "clip", "diffusion", "model", "checkpoint", "engine", "data")),
            Map.entry("train", Set.of("checkpoint", "engine")),
            Map.entry(
                    "posttrain",
                    Set.of(
                            "objective",
                            "hub",
                            "feedback",
                            "train",
                            "clip",
                            "diffusion",
                            "model",
                            "checkpoint",
                            "engine",
                            "data")),
            Map.entry(
                    "objective",
                    Set.of("feedback", "train", "clip", "diffusion", "model", "checkpoint", "engine", "data")),
            Map.entry("eval", Set.of("clip", "model", "checkpoint", "engine", "data", "hub")),
            Map.entry("segment", Set.of("eval", "train", "clip", "hub", "model", "checkpoint", "engine", "data")),
            Map.entry("mine", Set.of("eval", "model", "checkpoint", "engine", "data")),
            Map.entry(
                    "world",
                    Set.of(
                            "mllm",
                            "language",
                            "feedback",
                            "train",
                            "clip",
                            "diffusion",
                            "model",
                            "checkpoint",
                            "engine",
                            "data")),
            Map.entry("report", Set.of("eval", "checkpoint", "data", "hub")),
            Map.entry("compare", Set.of("eval", "report", "posttrain", "train", "clip", "checkpoint", "hub")),
            Map.entry(
                    "demo",
                    Set.of(
                            "engine",
                            "checkpoint",
                            "data",
                            "model",
                            "clip",
                            "diffusion",
                            "feedback",
                            "train",
                            "posttrain",
                            "eval",
                            "language",
                            "mllm",
                            "segment",
                            "world",
                            "report")),
            Map.entry(
                    "cli",
                    Set.of(
                            "engine",
                            "checkpoint",
                            "data",
                            "hub",
                            "model",
                            "clip",
                            "diffusion",
                            "feedback",
                            "train",
                            "posttrain",
                            "eval",
                            "mine",
                            "language",
                            "mllm",
                            "segment",
                            "world",
                            "report",
                            "compare",
                            "demo"))));

    private static final String[] LIBTORCH_ALLOWED = packages(Stream.of(
            "engine",
            "checkpoint",
            "model",
            "clip",
            "diffusion",
            "language",
            "mllm",
            "segment",
            "feedback",
            "train",
            "posttrain",
            "objective",
            "mine",
            "world",
            "demo"));

    static Set<String> packages() {
        return MAY_USE.keySet();
    }

    @ParameterizedTest
    @MethodSource("packages")
    void usesOnlyWhatItMay(String name) {
        String[] allowed = packages(Stream.concat(Stream.of(name), MAY_USE.get(name).stream()));
        check(classes()
                .that()
                .resideInAPackage(inside(name))
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(allowed)
                        .or(resideInAPackage("dev.diva"))
                        .or(not(resideInAPackage("dev.diva..")))));
    }

    @Test
    void everyPackageHasItsLine() {
        Set<String> found = new TreeSet<>();
        for (JavaClass type : DIVA) {
            String[] parts = type.getPackageName().split("\\.");
            if (parts.length > 2) {
                found.add(parts[2]);
            }
        }
        assertThat(MAY_USE.keySet()).containsAll(found);
        assertThat(found).contains("engine", "checkpoint", "model", "clip", "data", "cli");
    }

    @Test
    void noCycles() {
        check(slices().matching("dev.diva.(*)..").should().beFreeOfCycles());
    }

    @Test
    void libtorchStaysWhereTensorsAre() {
        String[] allowed = Stream.concat(Stream.of(LIBTORCH_ALLOWED), Stream.of(inside("data")))
                .toArray(String[]::new);
        check(noClasses()
                .that()
                .resideOutsideOfPackages(allowed)
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.bytedeco.."));
    }

    @Test
    void dataHasLibrariesOfPicturesAlone() {
        check(noClasses()
                .that()
                .resideInAPackage(inside("data"))
                .should()
                .dependOnClassesThat(resideInAPackage("org.bytedeco..")
                        .and(not(resideInAnyPackage(
                                "org.bytedeco.leptonica..", "org.bytedeco.ffmpeg..", "org.bytedeco.javacpp..")))));
    }

    @Test
    void nativePicturesStayInData() {
        check(noClasses()
                .that()
                .resideOutsideOfPackage(inside("data"))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.bytedeco.leptonica..", "org.bytedeco.ffmpeg.."));
    }

    @Test
    void onlyTheHubKnowsTheNetwork() {
        check(noClasses()
                .that()
                .resideOutsideOfPackage(inside("hub"))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("java.net.http..", "software.amazon.."));
    }

    @Test
    void onlyCliPrintsAndExits() {
        check(noClasses()
                .that()
                .resideOutsideOfPackage(inside("cli"))
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .orShould()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .callMethod(Runtime.class, "halt", int.class)
                .orShould()
                .callMethod(Throwable.class, "printStackTrace"));
    }

    /** What is left out of the library's jar, by pom.xml, is nothing that the library uses; nor do others than commands use what only they bring. */
    @Test
    void theLibraryKnowsNoCommand() throws IOException {
        Matcher line = Pattern.compile("<commands>(.*)</commands>").matcher(Files.readString(Path.of("pom.xml")));
        assertThat(line.find()).isTrue();
        String[] commands = Stream.of(line.group(1).split(","))
                .map(files -> files.replace("/**", "..").replace('/', '.'))
                .toArray(String[]::new);
        assertThat(commands).contains(inside("cli"), inside("report"), inside("demo"));
        check(noClasses()
                .that()
                .resideOutsideOfPackages(commands)
                .should()
                .dependOnClassesThat(resideInAnyPackage(commands)
                        .or(resideInAnyPackage("picocli..", "me.tongfei..", "org.jline..", "gg.jte.."))));
    }

    /** What a step of SAN asks a device for, beside the losses that the loop reads: the costs of its pairs, all at once. */
    @Test
    void aStepOfSanAsksForValuesInOnePlace() {
        Set<String> step =
                Set.of("SanObjective", "SanLoss", "PointReading", "Assignment", "San", "SideNetwork", "MaskDecoder");
        Set<String> readers = DIVA.stream()
                .filter(type -> step.contains(type.getSimpleName()))
                .flatMap(type -> type.getMethodCallsFromSelf().stream())
                .filter(call -> (call.getTargetOwner().isEquivalentTo(Tensors.class)
                                && call.getName().matches("toFloats?|toLongs|here"))
                        || (call.getTargetOwner().getFullName().startsWith("org.bytedeco.pytorch")
                                && call.getName().matches("item.*|cpu|equal|is_nonzero|nonzero")))
                .map(call -> call.getOrigin().getOwner().getSimpleName() + "."
                        + call.getOrigin().getName())
                .collect(Collectors.toSet());
        assertThat(readers).containsExactly("SanLoss.costs");
    }

    private static void check(ArchRule rule) {
        EvaluationResult result = rule.allowEmptyShould(true).evaluate(DIVA);
        assertThat(result.getFailureReport().getDetails()).isEmpty();
    }

    private static String inside(String name) {
        return "dev.diva." + name + "..";
    }

    private static String[] packages(Stream<String> names) {
        return names.map(ArchitectureTest::inside).toArray(String[]::new);
    }
}
