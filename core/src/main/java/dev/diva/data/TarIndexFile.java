package dev.diva.data;

import dev.diva.data.TarIndex.Listing;
import dev.diva.data.TarIndex.Member;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The listing of a tar as bytes, so that a tar behind an address is gone through once. */
final class TarIndexFile {
    private static final int VERSION = 0xd1fa_0001;

    private TarIndexFile() {}

    static byte[] write(Listing listing) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        try {
            out.writeInt(VERSION);
            out.writeInt(listing.members().size());
            for (Member member : listing.members()) {
                write(out, member.name());
                out.writeLong(member.entry().offset());
                out.writeLong(member.entry().length());
            }
            out.writeInt(listing.problems().size());
            for (DataProblem problem : listing.problems()) {
                write(out, problem.name());
                write(out, problem.reason());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("memory cannot fail to be written", e);
        }
        return bytes.toByteArray();
    }

    private static void write(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    /** What was written; empty where it is anything else. */
    static Optional<Listing> read(DataFile tar, byte... bytes) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            if (in.readInt() != VERSION) {
                return Optional.empty();
            }
            List<Member> members = new ArrayList<>();
            for (int count = in.readInt(); count > 0; count--) {
                String name = text(in);
                members.add(new Member(name, new ImageEntry(tar + "!" + name, tar, in.readLong(), in.readLong())));
            }
            List<DataProblem> problems = new ArrayList<>();
            for (int count = in.readInt(); count > 0; count--) {
                problems.add(new DataProblem(text(in), text(in)));
            }
            return in.available() == 0 ? Optional.of(new Listing(members, problems)) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static String text(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > in.available()) {
            throw new IOException("cut");
        }
        return new String(in.readNBytes(length), StandardCharsets.UTF_8);
    }
}
