package dev.diva.hub;

import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;

/** A remote file read from any place on, for one thread. */
final class RemoteChannel implements SeekableByteChannel {
    private final RemoteFile file;
    private long position;
    private boolean isClosed;

    RemoteChannel(RemoteFile file) {
        this.file = file;
    }

    @Override
    public int read(ByteBuffer into) throws ClosedChannelException {
        if (isClosed) {
            throw new ClosedChannelException();
        }
        int count = (int) Math.min(into.remaining(), file.size() - position);
        if (count <= 0) {
            return into.hasRemaining() ? -1 : 0;
        }
        file.fill(position, into.slice(into.position(), count), false);
        into.position(into.position() + count);
        position += count;
        return count;
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    public SeekableByteChannel position(long next) {
        position = next;
        return this;
    }

    @Override
    public long size() {
        return file.size();
    }

    @Override
    public int write(ByteBuffer bytes) {
        throw new NonWritableChannelException();
    }

    @Override
    public SeekableByteChannel truncate(long size) {
        throw new NonWritableChannelException();
    }

    @Override
    public boolean isOpen() {
        return !isClosed;
    }

    @Override
    public void close() {
        isClosed = true;
    }
}
