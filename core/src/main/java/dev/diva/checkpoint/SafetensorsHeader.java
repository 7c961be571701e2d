package dev.diva.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The checked header of a safetensors file: what is where.
 *
 * @param tensors by name, in the order of the data
 * @param offsets first byte of each tensor in the file
 * @param metadata the header's own {@code __metadata__}
 */
record SafetensorsHeader(Map<String, TensorInfo> tensors, Map<String, Long> offsets, Map<String, String> metadata) {
    /** The same limit as the reference implementation: larger headers are hostile or broken. */
    static final long MAX_HEADER_BYTES = 100_000_000;

    private static final int MAX_NAME = 10_000;
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(
                            StreamReadConstraints.builder().maxNestingDepth(8).build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** First byte of that tensor in the file. */
    long offset(String name) {
        return offsets.get(name);
    }

    static SafetensorsHeader read(Path path, FileChannel channel) throws IOException {
        long fileSize = channel.size();
        if (fileSize < 8) {
            throw new CheckpointException(path + ": has " + fileSize + " bytes, too few for a safetensors file");
        }
        long length = readBytes(path, channel, 0, 8).getLong();
        if (length < 2 || length > MAX_HEADER_BYTES) {
            throw new CheckpointException(
                    path + ": not a safetensors file: its first 8 bytes are no length of a header");
        }
        if (length > fileSize - 8) {
            throw new CheckpointException(path + ": not a safetensors file or truncated: header of "
                    + Long.toUnsignedString(length) + " bytes in a file of " + fileSize);
        }
        String json = StandardCharsets.UTF_8
                .decode(readBytes(path, channel, 8, (int) length))
                .toString();
        try {
            return parse(path, JSON.readTree(json), 8 + length, fileSize);
        } catch (JsonProcessingException e) {
            throw new CheckpointException(path + ": header is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static ByteBuffer readBytes(Path path, FileChannel channel, long from, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, from + buffer.position()) < 0) {
                throw new CheckpointException(path + ": ends inside its header");
            }
        }
        return buffer.flip();
    }

    private static SafetensorsHeader parse(Path path, JsonNode root, long dataStart, long fileSize) {
        if (!root.isObject()) {
            throw new CheckpointException(path + ": header is not a JSON object");
        }
        List<Entry> entries = new ArrayList<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : root.properties()) {
            if (field.getKey().equals("__metadata__")) {
                field.getValue()
                        .properties()
                        .forEach(e -> metadata.put(e.getKey(), e.getValue().asText()));
            } else {
                entries.add(Entry.parse(path, field.getKey(), field.getValue(), dataStart, fileSize));
            }
        }
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        Map<String, Long> offsets = new LinkedHashMap<>();
        long end = dataStart;
        for (Entry entry : entries) {
            if (entry.begin != end) {
                throw new CheckpointException(path + ": " + entry.info + " begins at byte " + entry.begin
                        + ", expected " + end + ": tensors overlap or leave a gap");
            }
            end = entry.end;
            tensors.put(entry.info.name(), entry.info);
            offsets.put(entry.info.name(), entry.begin);
        }
        if (end != fileSize) {
            throw new CheckpointException(
                    path + ": tensors end at byte " + end + " but the file has " + fileSize + ": truncated or padded");
        }
        return new SafetensorsHeader(tensors, offsets, metadata);
    }

    private record Entry(TensorInfo info, long begin, long end) {
        static Entry parse(Path path, String name, JsonNode node, long dataStart, long fileSize) {
            if (name.length() > MAX_NAME) {
                throw new CheckpointException(path + ": a tensor name has " + name.length() + " characters");
            }
            JsonNode offsets = node.path("data_offsets");
            JsonNode shape = node.path("shape");
            if (!offsets.isArray() || offsets.size() != 2 || !shape.isArray() || shape.size() > 64) {
                throw new CheckpointException(path + ": header entry of " + name + " lacks shape or data_offsets");
            }
            long[] sizes = new long[shape.size()];
            for (int i = 0; i < sizes.length; i++) {
                sizes[i] = integer(path, name, shape.get(i));
            }
            long begin = integer(path, name, offsets.get(0));
            long end = integer(path, name, offsets.get(1));
            try {
                TensorInfo info = new TensorInfo(
                        name, dtype(path, name, node.path("dtype").asText()), sizes);
                if (begin > end || end > fileSize - dataStart || end - begin != info.bytes()) {
                    throw new CheckpointException(path + ": " + info + " needs " + info.bytes() + " bytes, has ["
                            + begin + ", " + end + ") of " + (fileSize - dataStart));
                }
                return new Entry(info, dataStart + begin, dataStart + end);
            } catch (ArithmeticException e) {
                throw new CheckpointException(path + ": size of " + name + " overflows: " + shape, e);
            }
        }

        private static long integer(Path path, String name, JsonNode node) {
            if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < 0) {
                throw new CheckpointException(path + ": " + name + ": not a whole number >= 0: " + node);
            }
            return node.longValue();
        }

        private static Dtype dtype(Path path, String name, String text) {
            for (Dtype dtype : Dtype.values()) {
                if (dtype.name().equals(text)) {
                    return dtype;
                }
            }
            if (text.startsWith("F8") || text.startsWith("F4") || text.startsWith("F6")) {
                throw new CheckpointException(path + ": tensor " + name + " is stored as " + text
                        + ", a quantised type that is not read; take the release in fp16, bf16 or fp32");
            }
            throw new CheckpointException(path + ": " + name + ": storage type " + text + " is not supported");
        }
    }
}
