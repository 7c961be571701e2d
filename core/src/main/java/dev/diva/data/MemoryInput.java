package dev.diva.data;

import org.bytedeco.ffmpeg.avformat.AVIOContext;
import org.bytedeco.ffmpeg.avformat.Read_packet_Pointer_BytePointer_int;
import org.bytedeco.ffmpeg.avformat.Seek_Pointer_long_int;
import org.bytedeco.ffmpeg.global.avformat;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;

/** A file in memory for ffmpeg to read. The two callbacks serve all inputs, of any thread: what they read stands beside the bytes. */
final class MemoryInput implements AutoCloseable {
    private static final int BUFFER = 4096;

    private static final Read_packet_Pointer_BytePointer_int READ = new Read_packet_Pointer_BytePointer_int() {
        @Override
        public int call(Pointer opaque, BytePointer to, int wanted) {
            LongPointer state = new LongPointer(opaque);
            long from = state.get(POSITION);
            long count = Math.min(wanted, state.get(LENGTH) - from);
            if (count <= 0) {
                return avutil.AVERROR_EOF();
            }
            Pointer.memcpy(to, at(state.get(ADDRESS) + from), count);
            state.put(POSITION, from + count);
            return (int) count;
        }
    };

    private static final Seek_Pointer_long_int SEEK = new Seek_Pointer_long_int() {
        @Override
        public long call(Pointer opaque, long offset, int whence) {
            LongPointer state = new LongPointer(opaque);
            long length = state.get(LENGTH);
            if ((whence & avformat.AVSEEK_SIZE) != 0) {
                return length;
            }
            long start = switch (whence & 3) {
                case 1 -> state.get(POSITION);
                case 2 -> length;
                default -> 0;
            };
            if (start + offset < 0 || start + offset > length) {
                return -1;
            }
            state.put(POSITION, start + offset);
            return start + offset;
        }
    };

    private static final int ADDRESS = 0;
    private static final int LENGTH = 1;
    private static final int POSITION = 2;

    private final BytePointer bytes;
    private final LongPointer state;
    private final AVIOContext context;

    MemoryInput(byte[] file) {
        bytes = new BytePointer(file);
        state = new LongPointer(bytes.address(), file.length, 0);
        context = avformat.avio_alloc_context(
                new BytePointer(avutil.av_malloc(BUFFER)), BUFFER, 0, state, READ, null, SEEK);
    }

    AVIOContext context() {
        return context;
    }

    private static Pointer at(long place) {
        return new Pointer() {
            {
                this.address = place;
            }
        };
    }

    @Override
    public void close() {
        avutil.av_free(context.buffer()); // ffmpeg may have taken another than the first
        avformat.avio_context_free(context);
        state.close();
        bytes.close();
    }
}
