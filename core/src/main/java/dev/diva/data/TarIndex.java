package dev.diva.data;

import dev.diva.Placeholder;
import dev.diva.hub.RemoteFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.SeekableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** Where the files of a tar lie. Only headers are read; nothing is extracted, member names are names and no paths. */
final class TarIndex {
    private static final int BLOCK = 512;
    private static final String NOTE = "index";
    private static final List<String> GZIPPED = List.of(".tar.gz", ".tgz");

    private TarIndex() {}

    /** Whether a name is that of a tar, packed or not. */
    static boolean isTar(DataFile file) {
        return isGzipped(file) || file.endsWith(".tar");
    }

    private static boolean isGzipped(DataFile file) {
        return GZIPPED.stream().anyMatch(file::endsWith);
    }

    /** Where the bytes of a tar can be read: the file itself, or what it unpacks to. */
    static DataFile content(DataFile tar) {
        return isGzipped(tar) ? DataFile.of(GzipFile.of(tar).file()) : tar;
    }

    /** One file of a tar. */
    record Member(String name, ImageEntry entry) {}

    /** The readable files in their order, and what was left out. */
    record Listing(List<Member> members, List<DataProblem> problems) {}

    /**
     * The readable files in their order. Of a damaged tar the part before the damage is returned and the damage reported.
     */
    static List<Member> read(DataFile tar, Consumer<DataProblem> problems) {
        Listing listing = listing(tar);
        listing.problems().forEach(problems);
        return listing.members();
    }

    /** The same; that of a tar behind an address is kept in the cache. */
    static Listing listing(DataFile tar) {
        if (!tar.isRemote()) {
            return gone(tar);
        }
        RemoteFile remote = tar.remote();
        byte[] kept = remote.note(NOTE);
        Optional<Listing> known = kept == null ? Optional.empty() : TarIndexFile.read(tar, kept);
        if (known.isPresent()) {
            return known.get();
        }
        Listing listing = gone(tar);
        remote.putNote(NOTE, TarIndexFile.write(listing));
        return listing;
    }

    /** Goes through a tar. */
    private static Listing gone(DataFile tar) {
        List<DataProblem> problems = new ArrayList<>();
        return new Listing(unpacked(tar, problems::add), problems);
    }

    private static List<Member> unpacked(DataFile tar, Consumer<DataProblem> problems) {
        Optional<String> words = tar.isRemote() ? Optional.empty() : Placeholder.words(tar.path());
        if (words.isPresent()) {
            problems.accept(new DataProblem(tar.toString(), words.get()));
            return List.of();
        }
        if (!isGzipped(tar)) {
            return read(tar, tar, problems);
        }
        GzipFile.Content content = GzipFile.of(tar);
        DataFile file = DataFile.of(content.file());
        if (content.problem() == null) {
            return read(tar, file, problems);
        }
        List<Member> members = read(tar, file, consequence -> {});
        problems.accept(new DataProblem(
                tar.toString(), content.problem() + "; " + members.size() + " whole files before that are used"));
        return members;
    }

    private static List<Member> read(DataFile tar, DataFile content, Consumer<DataProblem> problems) {
        List<Member> members = new ArrayList<>();
        TarLinks links = new TarLinks(tar);
        if (holdsNothing(content) || isGzip(content)) {
            String reason = holdsNothing(content) ? "the tar is empty" : "is a gzip file; name it .tar.gz";
            problems.accept(new DataProblem(tar.toString(), reason));
            return members;
        }
        try (SeekableByteChannel file = content.open();
                ChannelStream bytes = new ChannelStream(file);
                TarArchiveInputStream in = new TarArchiveInputStream(bytes)) {
            long size = file.size();
            long end = 0;
            TarArchiveEntry entry = in.getNextEntry();
            while (entry != null) {
                long offset = file.position();
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
                bytes.pass(offset + entry.getSize()); // the library would read what it skips
                end = offset + (entry.getSize() + BLOCK - 1) / BLOCK * BLOCK;
                entry = in.getNextEntry();
            }
            if (size < end + BLOCK) { // a whole tar ends with blocks of zeros
                problems.accept(new DataProblem(tar.toString(), truncated(members.size())));
            }
            if (members.isEmpty()) {
                problems.accept(new DataProblem(tar.toString(), "the tar holds no files"));
            }
        } catch (UncheckedIOException e) {
            throw e; // of the network, and no damage
        } catch (IOException | RuntimeException e) {
            problems.accept(new DataProblem(
                    tar.toString(),
                    "not a whole tar (" + e.getMessage() + "); " + members.size()
                            + " files before the damage are used"));
        }
        return links.resolve(members, problems);
    }

    private static void add(
            DataFile tar,
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

    private static boolean holdsNothing(DataFile file) {
        try {
            return file.size() == 0;
        } catch (IOException e) {
            return false; // told when it is opened
        }
    }

    private static boolean isGzip(DataFile file) {
        try (InputStream in = new ChannelStream(file.open())) {
            return in.read() == 0x1f && in.read() == 0x8b;
        } catch (IOException e) {
            return false;
        }
    }

    private static String truncated(int used) {
        return "the tar is truncated; " + used + " whole files before its end are used";
    }
}
