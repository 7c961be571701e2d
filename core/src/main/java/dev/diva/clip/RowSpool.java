package dev.diva.clip;

import dev.diva.BadInputException;
import dev.diva.checkpoint.Dtype;
import dev.diva.checkpoint.MappedFile;
import dev.diva.checkpoint.Temporary;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.bytedeco.pytorch.Tensor;

/** Rows of one tensor on their way to disk: a hidden file beside the target, deleted on close. */
final class RowSpool implements AutoCloseable {
    private final Path target;
    private final Temporary file;
    private final FileChannel channel;
    private final long[] rowShape;
    private final int width;
    private final MappedFile mapped;
    private final ByteBuffer row;
    private long rows;

    RowSpool(Path target, long... rowShape) {
        this.target = target;
        this.rowShape = rowShape.clone();
        long values = 1;
        for (long size : rowShape) {
            values *= size;
        }
        this.width = Math.toIntExact(values);
        this.row = ByteBuffer.allocate(width * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        try {
            this.file = Temporary.file(target, ".rows");
            this.channel = FileChannel.open(file.path(), StandardOpenOption.WRITE, StandardOpenOption.READ);
        } catch (IOException e) {
            throw unwritable(e);
        }
        this.mapped = new MappedFile(file.path());
    }

    void append(float[] values) {
        if (values.length != width) {
            throw new IllegalArgumentException("a row of " + values.length + " values, expected " + width);
        }
        row.clear();
        row.asFloatBuffer().put(values);
        try {
            while (row.hasRemaining()) {
                channel.write(row);
            }
        } catch (IOException e) {
            throw unwritable(e);
        }
        rows++;
    }

    long rows() {
        return rows;
    }

    long[] rowShape() {
        return rowShape.clone();
    }

    float[] row(long index) throws IOException {
        row.clear();
        while (row.hasRemaining()) {
            if (channel.read(row, index * row.capacity() + row.position()) < 0) {
                throw new IOException(file.path() + ": ends inside row " + index);
            }
        }
        float[] values = new float[width];
        row.flip().asFloatBuffer().get(values);
        return values;
    }

    /** All rows, mapped from the file: [rows, rowShape...], owned by the caller's scope, valid until close. */
    Tensor tensor() {
        long[] shape = new long[rowShape.length + 1];
        shape[0] = rows;
        System.arraycopy(rowShape, 0, shape, 1, rowShape.length);
        return mapped.elements("rows", Dtype.F32, 0, rows * width).reshape(shape);
    }

    @Override
    public void close() {
        mapped.close();
        try {
            channel.close();
        } catch (IOException e) {
            throw unwritable(e);
        } finally {
            file.close();
        }
    }

    private BadInputException unwritable(IOException e) {
        return new BadInputException(target + ": cannot be written: " + e.getMessage(), e);
    }
}
