package dev.diva.checkpoint.pickle;

import dev.diva.checkpoint.CheckpointException;
import dev.diva.checkpoint.pickle.Values.Global;
import dev.diva.checkpoint.pickle.Values.Tuple;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Interpreter of one pickle, protocols 0 to 5. Python objects become strings, numbers, lists and maps; what {@link Globals} does not list is
 * refused by name, and nothing is ever called outside this package.
 */
final class Pickle {
    private final PickleInput in;
    private final PickleStack stack;
    private final Globals globals;

    private Pickle(PickleInput in) {
        this.in = in;
        this.stack = new PickleStack(in);
        this.globals = new Globals(in);
    }

    /**
     * Reads one object; the buffer is left behind its end.
     *
     * @param where named in messages
     * @throws CheckpointException for anything that is not a harmless pickle
     */
    static Object read(String where, ByteBuffer bytes) {
        Pickle pickle = new Pickle(new PickleInput(where, bytes));
        try {
            return pickle.run();
        } catch (ClassCastException | ArithmeticException | IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new CheckpointException(where + ": corrupt pickle: " + e.getMessage(), e);
        }
    }

    private Object run() {
        for (int op = in.u8(); op != '.'; op = in.u8()) {
            if (!(constant(op) || container(op) || memo(op) || object(op))) {
                throw in.bad("opcode 0x" + Integer.toHexString(op) + " is not one that checkpoints use");
            }
        }
        return stack.pop();
    }

    private boolean constant(int op) {
        switch (op) {
            case 'N' -> stack.push(null);
            case 0x88 -> stack.push(true);
            case 0x89 -> stack.push(false);
            case 'I' -> stack.push(integerLine(in.line()));
            case 'L' -> stack.push(integerLine(in.line().replaceFirst("L$", "")));
            case 'J' -> stack.push((long) in.i32());
            case 'K' -> stack.push((long) in.u8());
            case 'M' -> stack.push((long) in.u16());
            case 0x8a -> stack.push(integer(in.take(in.u8())));
            case 0x8b -> stack.push(integer(in.take(in.i32())));
            case 'F' -> stack.push(Double.valueOf(in.line()));
            case 'G' -> stack.push(in.bigEndianDouble());
            case 'X' -> stack.push(in.text(Integer.toUnsignedLong(in.i32())));
            case 0x8c -> stack.push(in.text(in.u8()));
            case 0x8d -> stack.push(in.text(in.i64()));
            case 'T' -> stack.push(in.text(in.i32()));
            case 'U' -> stack.push(in.text(in.u8()));
            case 'V' -> stack.push(in.line());
            case 'B' -> stack.push(in.take(Integer.toUnsignedLong(in.i32())));
            case 'C' -> stack.push(in.take(in.u8()));
            case 0x8e, 0x96 -> stack.push(in.take(in.i64()));
            case 0x80 -> protocol(in.u8());
            case 0x95 -> in.i64(); // frame: how much to prefetch, of no use here
            default -> {
                return false;
            }
        }
        return true;
    }

    private void protocol(int version) {
        if (version > 5) {
            throw in.bad("pickle protocol " + version + " is not known");
        }
    }

    private Object integerLine(String line) {
        if (line.equals("00") || line.equals("01")) {
            return line.equals("01");
        }
        if (line.length() > 1000) {
            throw in.bad("an integer of " + line.length() + " digits");
        }
        return integer(new BigInteger(line));
    }

    private Object integer(byte[] littleEndian) {
        if (littleEndian.length > 1000) {
            throw in.bad("an integer of " + littleEndian.length + " bytes");
        }
        byte[] bigEndian = new byte[littleEndian.length];
        for (int i = 0; i < bigEndian.length; i++) {
            bigEndian[i] = littleEndian[bigEndian.length - 1 - i];
        }
        return bigEndian.length == 0 ? (Object) 0L : integer(new BigInteger(bigEndian));
    }

    private static Object integer(BigInteger value) {
        return value.bitLength() < 64 ? (Object) value.longValue() : value;
    }

    private boolean container(int op) {
        switch (op) {
            case '(' -> stack.mark();
            case '0' -> stack.pop();
            case '1' -> stack.popMark();
            case '2' -> stack.push(stack.peek());
            case ']' -> stack.push(new ArrayList<>());
            case 'l' -> stack.push(stack.popMark());
            case ')' -> stack.pushTuple(0);
            case 't' -> stack.push(new Tuple(Collections.unmodifiableList(stack.popMark())));
            case 0x85 -> stack.pushTuple(1);
            case 0x86 -> stack.pushTuple(2);
            case 0x87 -> stack.pushTuple(3);
            case '}' -> stack.push(new LinkedHashMap<>());
            case 'd' -> {
                List<Object> items = stack.popMark();
                stack.push(new LinkedHashMap<>());
                setItems(items);
            }
            case 0x8f -> stack.push(new LinkedHashSet<>());
            case 0x91 -> stack.push(frozenSet(stack.popMark()));
            case 'a' -> addAll(Collections.singletonList(stack.pop()));
            case 'e', 0x90 -> addAll(stack.popMark());
            case 's' -> {
                Object value = stack.pop();
                Object key = stack.pop();
                setItems(java.util.Arrays.asList(key, value));
            }
            case 'u' -> setItems(stack.popMark());
            default -> {
                return false;
            }
        }
        return true;
    }

    private Set<Object> frozenSet(List<Object> items) {
        Set<Object> set = new LinkedHashSet<>();
        items.forEach(item -> set.add(key(item)));
        return set;
    }

    private void addAll(List<?> items) {
        @SuppressWarnings("unchecked")
        Collection<Object> target = stack.peek() instanceof Collection<?> c ? (Collection<Object>) c : null;
        if (target == null) {
            throw in.bad("appends to " + PickleStack.describe(stack.peek()));
        }
        for (Object item : items) {
            target.add(target instanceof Set ? key(item) : item);
        }
    }

    private void setItems(List<Object> items) {
        @SuppressWarnings("unchecked")
        Map<Object, Object> target = stack.peek() instanceof Map<?, ?> m ? (Map<Object, Object>) m : null;
        if (target == null) {
            // Items of a known but unused class, for instance a counter: dropped.
            if (stack.peek() instanceof Values.Opaque) {
                return;
            }
            throw in.bad("sets items of " + PickleStack.describe(stack.peek()));
        }
        if (items.size() % 2 != 0) {
            throw in.bad("a key without a value");
        }
        for (int i = 0; i < items.size(); i += 2) {
            target.put(key(items.get(i)), items.get(i + 1));
        }
    }

    /** Keys are hashed, so they must be flat: a container that holds itself would never end. */
    private Object key(Object key) {
        boolean flat = key instanceof Tuple tuple
                ? tuple.items().stream().allMatch(Pickle::isScalar)
                : isScalar(key) || key instanceof Global;
        if (!flat) {
            throw in.bad("a key that is a " + PickleStack.describe(key));
        }
        return key;
    }

    private static boolean isScalar(Object value) {
        return value == null || value instanceof String || value instanceof Number || value instanceof Boolean;
    }

    private boolean memo(int op) {
        switch (op) {
            case 'p' -> stack.remember(Integer.parseInt(in.line()));
            case 'q' -> stack.remember(in.u8());
            case 'r' -> stack.remember(in.i32());
            case 0x94 -> stack.rememberNext();
            case 'g' -> stack.recall(Integer.parseInt(in.line()));
            case 'h' -> stack.recall(in.u8());
            case 'j' -> stack.recall(in.i32());
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean object(int op) {
        switch (op) {
            case 'c' -> stack.push(globals.find(in.line(), in.line()));
            case 0x93 -> {
                String name = stack.pop(String.class);
                stack.push(globals.find(stack.pop(String.class), name));
            }
            case 'R', 0x81 -> {
                Tuple arguments = stack.pop(Tuple.class);
                stack.push(globals.construct(stack.pop(Global.class), arguments.items()));
            }
            case 0x92 -> {
                stack.pop(Map.class);
                Tuple arguments = stack.pop(Tuple.class);
                stack.push(globals.construct(stack.pop(Global.class), arguments.items()));
            }
            case 'b' -> {
                Object state = stack.pop();
                globals.build(stack.peek(), state);
            }
            case 'Q' -> stack.push(globals.storage(stack.pop(Tuple.class).items()));
            default -> {
                return false;
            }
        }
        return true;
    }
}
