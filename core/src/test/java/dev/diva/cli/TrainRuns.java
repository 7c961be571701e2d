package dev.diva.cli;

import dev.diva.testing.Golden;
import dev.diva.testing.Rasters;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;

/** Trainings of the tiny golden models through the command line. */
record TrainRuns(Path folder) {
    /** What a command printed, and its code. */
    record Outcome(int code, String out, String err) {}

    /** Four images of 128 x 128, written once. */
    Path images() throws IOException {
        Path images = folder.resolve("images");
        if (!Files.exists(images)) {
            Files.createDirectories(images);
            try (PointerScope scope = new PointerScope()) {
                Rasters.write(Rasters.of(Golden.resource("diva-corrected").input("images_u8")), images);
            }
        }
        return images;
    }

    /** A whole Stable unCLIP, written once: the golden case has the UNet and how it is told, the rest is that of Stable Diffusion 2.1. */
    Path unclip() throws IOException {
        Path made = folder.resolve("unclip");
        if (!Files.exists(made)) {
            for (String part : List.of("vae", "text_encoder", "tokenizer")) {
                copy(Golden.path("sd21").resolve(part), made.resolve(part));
            }
            for (String part : List.of("unet", "scheduler", "image_normalizer", "image_noising_scheduler")) {
                copy(Golden.path("un2clip").resolve(part), made.resolve(part));
            }
        }
        return made;
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName().toString()));
            }
        }
    }

    /** Three steps of a tiny run in fp32, changed by more arguments. */
    Outcome train(String out, String... more) throws IOException {
        List<String> arguments =
                new ArrayList<>(List.of("train", "--out", folder.resolve(out).toString()));
        arguments.addAll(List.of("--clip", Golden.model("clip-hf-vit").toString()));
        arguments.addAll(List.of("--diffusion", Golden.model("sd21").toString(), "--images", images().toString()));
        for (String assignment : List.of(
                "resolution=64",
                "precision=fp32",
                "threads=1",
                "train.steps=3",
                "train.batch=2",
                "train.accumulate=1",
                "train.lr=0.05",
                "train.warmupSteps=0",
                "train.schedule=constant")) {
            arguments.addAll(List.of("--set", assignment));
        }
        arguments.addAll(Arrays.asList(more));
        return run(arguments.toArray(String[]::new));
    }

    /** Any command. */
    static Outcome run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
        return new Outcome(code, out.toString(), err.toString());
    }
}
