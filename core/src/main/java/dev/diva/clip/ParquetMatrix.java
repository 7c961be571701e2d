package dev.diva.clip;

import dev.diva.checkpoint.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;

/**
 * Rows as Apache Parquet: a column of names and a column {@code embedding}, a list of fp32, not compressed. Its library is the command line's: a program
 * that depends on this one alone has to bring it.
 */
final class ParquetMatrix {
    private ParquetMatrix() {}

    /**
     * Writes them.
     *
     * @param column of the names: {@code path} or {@code text}
     * @param metadata words about all of it
     */
    static void write(Path target, RowSpool rows, String column, List<String> names, Map<String, String> metadata) {
        AtomicFile.writeNew(target, channel -> {
            Rows support = new Rows(rows, column, names, metadata);
            try (ParquetWriter<Integer> writer = new Builder(new Target(channel), support)
                    .withConf(new PlainParquetConfiguration())
                    .withCompressionCodec(CompressionCodecName.UNCOMPRESSED)
                    .withDictionaryEncoding(false)
                    .build()) {
                for (int row = 0; row < rows.rows(); row++) {
                    writer.write(row);
                }
            }
        });
    }

    private static final class Builder extends ParquetWriter.Builder<Integer, Builder> {
        private final Rows rows;

        Builder(OutputFile target, Rows rows) {
            super(target);
            this.rows = rows;
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        @SuppressWarnings("deprecation") // abstract
        protected WriteSupport<Integer> getWriteSupport(Configuration unused) {
            return rows;
        }

        @Override
        protected WriteSupport<Integer> getWriteSupport(ParquetConfiguration unused) {
            return rows;
        }
    }

    /** Rows by their numbers. */
    private static final class Rows extends WriteSupport<Integer> {
        private static final String EMBEDDING = "embedding";

        private final RowSpool rows;
        private final String column;
        private final List<String> names;
        private final Map<String, String> metadata;
        private RecordConsumer consumer;

        Rows(RowSpool rows, String column, List<String> names, Map<String, String> metadata) {
            this.rows = rows;
            this.column = column;
            this.names = names;
            this.metadata = metadata;
        }

        @Override
        @SuppressWarnings("deprecation") // abstract
        public WriteContext init(Configuration unused) {
            return context();
        }

        @Override
        public WriteContext init(ParquetConfiguration unused) {
            return context();
        }

        private WriteContext context() {
            MessageType schema = Types.buildMessage()
                    .required(PrimitiveTypeName.BINARY)
                    .as(LogicalTypeAnnotation.stringType())
                    .named(column)
                    .requiredList()
                    .requiredElement(PrimitiveTypeName.FLOAT)
                    .named(EMBEDDING)
                    .named("embeddings");
            return new WriteContext(schema, metadata);
        }

        @Override
        public void prepareForWrite(RecordConsumer given) {
            consumer = given;
        }

        @Override
        public void write(Integer row) {
            consumer.startMessage();
            field(column, 0, () -> consumer.addBinary(Binary.fromString(names.get(row))));
            field(
                    EMBEDDING,
                    1,
                    () -> group(() -> field("list", 0, () -> {
                        for (float value : values(row)) {
                            group(() -> field("element", 0, () -> consumer.addFloat(value)));
                        }
                    })));
            consumer.endMessage();
        }

        private float[] values(int row) {
            try {
                return rows.row(row);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void field(String name, int index, Runnable content) {
            consumer.startField(name, index);
            content.run();
            consumer.endField(name, index);
        }

        private void group(Runnable content) {
            consumer.startGroup();
            content.run();
            consumer.endGroup();
        }
    }

    /** A channel that is written from the start. */
    private record Target(FileChannel channel) implements OutputFile {
        @Override
        public PositionOutputStream create(long unused) {
            return new PositionOutputStream() {
                @Override
                public long getPos() throws IOException {
                    return channel.position();
                }

                @Override
                public void write(int value) throws IOException {
                    write(new byte[] {(byte) value}, 0, 1);
                }

                @Override
                public void write(byte[] bytes, int offset, int length) throws IOException {
                    ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
                    while (buffer.hasRemaining()) {
                        channel.write(buffer);
                    }
                }
            };
        }

        @Override
        public PositionOutputStream createOrOverwrite(long unused) {
            return create(unused);
        }

        @Override
        public boolean supportsBlockSize() {
            return false;
        }

        @Override
        public long defaultBlockSize() {
            return 0;
        }
    }
}
