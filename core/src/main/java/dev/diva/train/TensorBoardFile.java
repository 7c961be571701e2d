package dev.diva.train;

import dev.diva.BadInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Curves for TensorBoard: a file of TFRecords ({@code length, masked CRC of it, Event, masked CRC of that}), each an Event of {@code
 * tensorflow/core/util/event.proto}. Every session of a run has a file of its own; its first event tells TensorBoard to forget later
 * steps of earlier files.
 */
public final class TensorBoardFile implements TrainListener, AutoCloseable {
    private static final int WALL_TIME = 1;
    private static final int STEP = 2;
    private static final int FILE_VERSION = 3;
    private static final int SUMMARY = 5;
    private static final int SESSION_LOG = 7;

    private final Path file;
    private final OutputStream out;

    /**
     * Opens a new file.
     *
     * @param firstStep where this session starts
     */
    public TensorBoardFile(Path folder, long firstStep) {
        long now = System.currentTimeMillis();
        this.file = folder.resolve(String.format(Locale.ROOT, "events.out.tfevents.%010d.diva-%d", now / 1000, now));
        try {
            this.out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            write(new Message().text(FILE_VERSION, "brain.Event:2"));
            Message start = new Message().number(1, 1); // SessionLog.START
            write(new Message().number(STEP, firstStep).message(SESSION_LOG, start));
        } catch (IOException e) {
            throw failure(e);
        }
    }

    @Override
    public void stepDone(StepRecord step) {
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("loss", step.loss());
        values.put("gradNorm", step.gradNorm());
        values.putAll(step.rates());
        values.put("imagesPerSecond", step.imagesPerSecond());
        MemoryUse.now().forEach((name, bytes) -> values.put(name, (double) bytes));
        values.putAll(step.penalties());
        values(step.step(), values);
    }

    /** Values of a step, by the name of their curve. */
    void values(long step, Map<String, Double> values) {
        Message summary = new Message();
        values.forEach((name, value) -> summary.message(1, value(name, value)));
        try {
            write(new Message().number(STEP, step).message(SUMMARY, summary));
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private static Message value(String tag, double value) {
        return new Message().text(1, tag).float32(2, (float) value);
    }

    private void write(Message event) throws IOException {
        byte[] data =
                event.float64(WALL_TIME, System.currentTimeMillis() * 1e-3).bytes();
        ByteBuffer record = ByteBuffer.allocate(data.length + 16).order(ByteOrder.LITTLE_ENDIAN);
        record.putLong(data.length);
        record.putInt(maskedCrc(record.array(), 8)).put(data).putInt(maskedCrc(data, data.length));
        out.write(record.array());
        out.flush();
    }

    /** TFRecord's rotation and constant around CRC-32C. */
    static int maskedCrc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return Integer.rotateRight((int) crc.getValue(), 15) + 0xa282ead8;
    }

    private BadInputException failure(IOException e) {
        return new BadInputException(file + ": cannot be written: " + e.getMessage(), e);
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** A protocol buffer in the making: fields of the four kinds that events need. */
    private static final class Message {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message number(int field, long value) {
            varint(field << 3);
            varint(value);
            return this;
        }

        Message float64(int field, double value) {
            varint((field << 3) | 1);
            out.writeBytes(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putDouble(value)
                    .array());
            return this;
        }

        Message float32(int field, float value) {
            varint((field << 3) | 5);
            out.writeBytes(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putFloat(value)
                    .array());
            return this;
        }

        Message text(int field, String value) {
            return field(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message message(int field, Message value) {
            return field(field, value.bytes());
        }

        private Message field(int field, byte[] value) {
            varint((field << 3) | 2);
            varint(value.length);
            out.writeBytes(value);
            return this;
        }

        private void varint(long value) {
            long rest = value;
            while ((rest & ~0x7fL) != 0) {
                out.write((int) ((rest & 0x7f) | 0x80));
                rest >>>= 7;
            }
            out.write((int) rest);
        }

        byte[] bytes() {
            return out.toByteArray();
        }
    }
}
