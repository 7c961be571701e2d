package dev.diva.data;

import dev.diva.BadInputException;
import dev.diva.TextFile;
import dev.diva.hub.Address;
import dev.diva.hub.RemoteFile;
import dev.diva.hub.RemoteFiles;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * A file that holds samples: of this machine, or behind an address.
 *
 * @param location path, or {@code http://}, {@code https://} or {@code s3://}; of an address with what signs it
 */
public record DataFile(String location) {
    /** What a user means: a path or an address. */
    public static DataFile named(String text) {
        return Address.is(text) ? new DataFile(text) : of(Path.of(text));
    }

    /** One of this machine. */
    public static DataFile of(Path file) {
        return new DataFile(file.toString());
    }

    /** Whether it lies behind an address. */
    public boolean isRemote() {
        return Address.is(location);
    }

    /**
     * Where one of this machine lies.
     *
     * @throws BadInputException for an address
     */
    public Path path() {
        if (isRemote()) {
            throw new BadInputException(
                    this + ": an address, expected a file or folder of this machine; copy it first");
        }
        return Path.of(location);
    }

    /** One behind an address. */
    public RemoteFile remote() {
        return RemoteFiles.at(location);
    }

    /** Whether it is a folder; behind an address its name ends so. */
    boolean isFolder() {
        return isRemote() ? Address.lowerPath(location).endsWith("/") : Files.isDirectory(path());
    }

    /**
     * All files below this folder but hidden ones, in the order of their paths.
     *
     * @param problems told of links that cannot be followed
     */
    List<DataFile> files(Consumer<DataProblem> problems) {
        return isRemote()
                ? PathPattern.listed(location, "**")
                : FileWalk.of(path(), Integer.MAX_VALUE, false, problems).files().stream()
                        .map(DataFile::of)
                        .toList();
    }

    /** Whether its name ends like that, whatever the case. */
    boolean endsWith(String suffix) {
        return (isRemote() ? Address.lowerPath(location) : location.toLowerCase(Locale.ROOT)).endsWith(suffix);
    }

    /** A file in this one, if this is a folder. */
    public DataFile resolve(String name) {
        return isRemote()
                ? new DataFile(location.endsWith("/") ? location + name : location + "/" + name)
                : of(path().resolve(name));
    }

    /** Whether it is there. */
    public boolean exists() {
        return isRemote() ? remote().exists() : Files.exists(path());
    }

    /**
     * Its content as text.
     *
     * @param instead what to do when it is missing, for the message
     */
    public String text(String instead) {
        if (!isRemote()) {
            return TextFile.read(path(), instead);
        }
        if (!exists()) {
            throw new BadInputException(this + ": missing" + (instead.isEmpty() ? "" : "; " + instead));
        }
        return TextFile.decode(ImageEntry.of(this).read(), toString());
    }

    /** Bytes. */
    long size() throws IOException {
        return isRemote() ? remote().size() : Files.size(path());
    }

    /** Opened for reading in order, or from any place. */
    SeekableByteChannel open() throws IOException {
        return isRemote() ? remote().channel() : Files.newByteChannel(path());
    }

    /** The path, or the address as it may be shown. */
    @Override
    public String toString() {
        return isRemote() ? remote().name() : location;
    }
}
