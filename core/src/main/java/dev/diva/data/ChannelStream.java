package dev.diva.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;

/** A channel as a stream that steps over what nobody looks at. */
final class ChannelStream extends InputStream {
    private final SeekableByteChannel channel;
    private long passed;

    ChannelStream(SeekableByteChannel channel) {
        this.channel = channel;
    }

    /** Bytes in front of that place do not matter: they count as read, but what is given for them is anything. */
    void pass(long end) {
        passed = end;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int from, int count) throws IOException {
        long position = channel.position();
        long stepped = Math.min(count, Math.min(passed, channel.size()) - position);
        if (stepped > 0) {
            channel.position(position + stepped);
            return (int) stepped;
        }
        return channel.read(ByteBuffer.wrap(into, from, count));
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
