package dev.diva.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.diva.BadInputException;
import dev.diva.checkpoint.AtomicFile;
import gg.jte.ContentType;
import gg.jte.TemplateEngine;
import gg.jte.output.StringOutput;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Writes the page: one file that needs nothing else, neither a network nor the files that it was made from. */
public final class ReportWriter {
    /** The release in core/pom.xml; a missing file fails the first test. */
    private static final String UPLOT = "/META-INF/resources/webjars/uplot/1.6.30/dist/";

    /** Stands in the styles of every page, of earlier releases too. */
    private static final String SIGN = ":root{color-scheme:light dark;--paper:";

    private static final TemplateEngine TEMPLATES =
            TemplateEngine.createPrecompiled(null, ContentType.Html, null, "dev.diva.report.page");

    private ReportWriter() {}

    /**
     * Reads runs or evaluation files and writes their page.
     *
     * @param sources run folders and evaluation JSON files, in the order of the page
     * @param page the file to write; it is replaced as a whole or not at all
     * @throws BadInputException where a source is neither, or its JSON is broken
     */
    public static void write(List<Path> sources, Path page) {
        replace(page, render(sources));
    }

    /** Writes methods against the untouched model, self-contained as the report is. */
    public static void write(MethodsPage methods, Path page) {
        StringOutput output = new StringOutput();
        TEMPLATES.render("methods.jte", methods, output);
        replace(page, output.toString());
    }

    /** Writes a gallery of pairs, self-contained as the report is. */
    public static void write(PairGallery gallery, Path page) {
        StringOutput output = new StringOutput();
        TEMPLATES.render("gallery.jte", gallery, output);
        replace(page, output.toString());
    }

    /**
     * Images of the pairs that a run answers otherwise after training than before, in the order of the page.
     *
     * @throws BadInputException when there is none
     */
    public static List<Path> flippedImages(Path run) {
        List<Path> images = Comparison.of(RunFolder.read(run).evaluations()).stream()
                .filter(Comparison::paired)
                .flatMap(comparison -> Flip.images(comparison).stream())
                .toList();
        if (images.isEmpty()) {
            throw new BadInputException(run + ": no pair is answered otherwise after than before");
        }
        return images;
    }

    /**
     * Both sides of the first pairs that a run answers otherwise after training than before, in the order of the page.
     *
     * @throws BadInputException when there is none
     */
    public static List<Statement> flippedStatements(Path run, int pairs) {
        List<Statement> statements = Comparison.of(RunFolder.read(run).evaluations()).stream()
                .filter(Comparison::paired)
                .flatMap(comparison -> Flip.statements(comparison, pairs).stream())
                .toList();
        if (statements.isEmpty()) {
            throw new BadInputException(run + ": no pair is answered otherwise after than before");
        }
        return statements;
    }

    private static void replace(Path page, String html) {
        requireOurs(page);
        AtomicFile.writeString(page, html);
    }

    /**
     * Refuses to put a page where another kind of file is.
     *
     * @throws BadInputException when one is
     */
    public static void requireOurs(Path page) {
        try {
            if (Files.exists(page)
                    && !Files.readString(page, StandardCharsets.ISO_8859_1).contains(SIGN)) {
                throw new BadInputException(page + ": is no page of diva and is not replaced; choose another --out");
            }
        } catch (IOException e) {
            throw new BadInputException(page + ": cannot be read: " + e, e);
        }
    }

    /** The page as text. */
    static String render(List<Path> sources) {
        return render(PageBuilder.build(sources.stream().map(RunFolder::read).toList()));
    }

    static String render(ReportPage page) {
        StringOutput output = new StringOutput();
        TEMPLATES.render("report.jte", page, output);
        return output.toString();
    }

    /** The style sheets of the page. */
    public static String style() {
        return resource(UPLOT + "uPlot.min.css") + resource("/dev/diva/report/report.css");
    }

    /** The scripts of the page: the chart library and what feeds it. */
    public static String script() {
        return resource(UPLOT + "uPlot.iife.min.js") + "\n" + resource("/dev/diva/report/report.js");
    }

    /** The points of all curves as JSON that is safe inside a script element. */
    public static String curves(ReportPage page) {
        try {
            return new ObjectMapper()
                    .writeValueAsString(
                            page.runs().stream().map(RunSection::curves).toList())
                    .replace("<", "\\u003c");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String resource(String name) {
        try (InputStream stream = ReportWriter.class.getResourceAsStream(name)) {
            if (stream == null) {
                throw new IllegalStateException(name + " is not on the class path");
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
