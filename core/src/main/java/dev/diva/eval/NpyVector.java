package dev.diva.eval;

import dev.diva.BadInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A vector of zeros and ones in NumPy's file format. */
final class NpyVector {
    private static final Pattern HEADER =
            Pattern.compile("'descr': '([<|>=]?)([biuf])(\\d)'.*'shape': \\((\\d+),?\\)", Pattern.DOTALL);

    private NpyVector() {}

    static int[] read(byte[] file, String name) {
        if (file.length < 12 || file[1] != 'N' || file[2] != 'U' || file[3] != 'M') {
            throw new BadInputException(name + ".npy: not a NumPy file");
        }
        ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        boolean isFirstVersion = file[6] == 1;
        int start = isFirstVersion ? 10 : 12;
        int end = start + (isFirstVersion ? Short.toUnsignedInt(buffer.getShort(8)) : buffer.getInt(8));
        Matcher header = HEADER.matcher(
                end < start || end > file.length
                        ? ""
                        : new String(file, start, end - start, StandardCharsets.ISO_8859_1));
        if (!header.find()) {
            throw new BadInputException(name + ".npy: expected a vector of numbers");
        }
        int width = Integer.parseInt(header.group(3));
        int count = Integer.parseInt(header.group(4));
        if ((long) count * width > file.length - end) {
            throw new BadInputException(name + ".npy: ends before its " + count + " values");
        }
        int[] values = new int[count];
        for (int i = 0; i < count; i++) {
            for (int b = 0; b < width; b++) {
                values[i] |= file[end + i * width + b] != 0 ? 1 : 0;
            }
        }
        return values;
    }
}
