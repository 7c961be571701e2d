package dev.diva.data;

import dev.diva.Placeholder;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** Where the files of a tar lie. Only headers are read; nothing is extracted, member names are names and no paths. */
final class TarIndex {
    private static final int BLOCK = 512;

    private static final List<String> GZIPPED = List.of(".tar.gz", ".tgz");

    private TarIndex() {}

    /** Whether a name is that of a tar, packed or not. */
    static boolean isTar(Path file) {
        return isGzipped(file) || lowerName(file).endsWith(".tar");
    }

    private static boolean isGzipped(Path file) {
        return GZIPPED.stream().anyMatch(lowerName(file)::endsWith);
    }

    private static String lowerName(Path file) {
        return file.toString().toLowerCase(Locale.ROOT);
    }

    /** Where the bytes of a tar can be read: the file itself, or what it unpacks to. */
    static Path content(Path tar) {
        return isGzipped(tar) ? GzipFile.of(tar).file() : tar;
    }

    /** One file of a tar. */
    record Member(String name, ImageEntry entry) {}

    /**
     * The readable files in their order. Of a damaged tar the part before the damage is returned and the damage reported.
     */
    static List<Member> read(Path tar, Consumer<DataProblem> problems) {
        Optional<String> words = Placeholder.words(tar);
        if (words.isPresent()) {
            problems.accept(new DataProblem(tar.toString(), words.get()));
            return List.of();
        }
        if (!isGzipped(tar)) {
            return read(tar, tar, problems);
        }
        GzipFile.Content content = GzipFile.of(tar);
        if (content.problem() == null) {
            return read(tar, content.file(), problems);
        }
        List<Member> members = read(tar, content.file(), consequence -> {});
        problems.accept(new DataProblem(
                tar.toString(), content.problem() + "; " + members.size() + " whole files before that are used"));
        return members;
    }

    private static List<Member> read(Path tar, Path content, Consumer<DataProblem> problems) {
        List<Member> members = new ArrayList<>();
        TarLinks links = new TarLinks(tar);
        if (holdsNothing(content) || isGzip(content)) {
            String reason = holdsNothing(content) ? "the tar is empty" : "is a gzip file; name it .tar.gz";
            problems.accept(new DataProblem(tar.toString(), reason));
            return members;
        }
        try (FileInputStream file = new FileInputStream(content.toFile());
                TarArchiveInputStream in = new TarArchiveInputStream(file)) {
            long size = file.getChannel().size();
            long end = 0;
            TarArchiveEntry entry = in.getNextEntry();
            while (entry != null) {
                long offset = file.getChannel().position();
                if (entry.isLink() || entry.isSymbolicLink()) {
                    links.add(entry, members.size());
                } else if (entry.isSparse()) {
                    problems.accept(new DataProblem(tar + "!" + entry.getName(), "a sparse file, which is not read"));
                } else if (entry.isFile()) {
                    add(tar, entry, offset, size, members, problems);
                }
                if (offset + entry.getSize() > size) {
                    problems.accept(new DataProblem(tar.toString(), truncated(members.size())));
                    return links.resolve(members, problems);
                }
                end = offset + (entry.getSize() + BLOCK - 1) / BLOCK * BLOCK;
                entry = in.getNextEntry();
            }
            if (size < end + BLOCK) { // a whole tar ends with blocks of zeros
                problems.accept(new DataProblem(tar.toString(), truncated(members.size())));
            }
            if (members.isEmpty()) {
                problems.accept(new DataProblem(tar.toString(), "the tar holds no files"));
            }
        } catch (IOException | RuntimeException e) {
            problems.accept(new DataProblem(
                    tar.toString(),
                    "not a whole tar (" + e.getMessage() + "); " + members.size()
                            + " files before the damage are used"));
        }
        return links.resolve(members, problems);
    }

    private static void add(
            Path tar,
            TarArchiveEntry entry,
            long offset,
            long size,
            List<Member> members,
            Consumer<DataProblem> problems) {
        String name = tar + "!" + entry.getName();
        if (entry.getSize() > ImageEntry.MAX_BYTES) {
            problems.accept(
                    new DataProblem(name, entry.getSize() + " bytes, more than the limit of " + ImageEntry.MAX_BYTES));
        } else if (offset + entry.getSize() > size) {
            problems.accept(new DataProblem(name, "the tar ends inside of it"));
        } else {
            members.add(new Member(entry.getName(), new ImageEntry(name, tar, offset, entry.getSize())));
        }
    }

    private static boolean holdsNothing(Path file) {
        try {
            return Files.size(file) == 0;
        } catch (IOException e) {
            return false; // told when it is opened
        }
    }

    private static boolean isGzip(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return in.read() == 0x1f && in.read() == 0x8b;
        } catch (IOException e) {
            return false;
        }
    }

    private static String truncated(int used) {
        return "the tar is truncated; " + used + " whole files before its end are used";
    }
}
