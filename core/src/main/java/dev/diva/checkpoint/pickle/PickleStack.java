package dev.diva.checkpoint.pickle;

import dev.diva.checkpoint.pickle.Values.Tuple;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Stack, marks and memo of the interpreter. Each opcode adds at most one entry, so all are bounded by the length of the pickle. */
final class PickleStack {
    private final PickleInput in;
    private final List<Object> values = new ArrayList<>();
    private final Deque<Integer> marks = new ArrayDeque<>();
    private final Map<Integer, Object> memo = new HashMap<>();

    PickleStack(PickleInput in) {
        this.in = in;
    }

    void push(Object value) {
        values.add(value);
    }

    Object pop() {
        int floor = marks.isEmpty() ? 0 : marks.peek();
        if (values.size() <= floor) {
            throw in.bad("takes a value that is not there: corrupt");
        }
        return values.remove(values.size() - 1);
    }

    Object peek() {
        Object value = pop();
        push(value);
        return value;
    }

    <T> T pop(Class<T> type) {
        Object value = pop();
        if (!type.isInstance(value)) {
            throw in.bad("expected a " + type.getSimpleName() + ", found " + describe(value));
        }
        return type.cast(value);
    }

    void mark() {
        marks.push(values.size());
    }

    /** The values since the last mark, in order, which is forgotten. */
    List<Object> popMark() {
        if (marks.isEmpty()) {
            throw in.bad("takes a mark that is not there: corrupt");
        }
        List<Object> tail = values.subList(marks.pop(), values.size());
        List<Object> taken = new ArrayList<>(tail);
        tail.clear();
        return taken;
    }

    void pushTuple(int count) {
        Object[] items = new Object[count];
        for (int i = count - 1; i >= 0; i--) {
            items[i] = pop();
        }
        push(new Tuple(Collections.unmodifiableList(new ArrayList<>(java.util.Arrays.asList(items)))));
    }

    void remember(int index) {
        memo.put(index, peek());
    }

    void rememberNext() {
        remember(memo.size());
    }

    void recall(int index) {
        if (!memo.containsKey(index)) {
            throw in.bad("refers to memo " + index + " that is not there: corrupt");
        }
        push(memo.get(index));
    }

    /** The kind of a value; never its content, which may be endless. */
    static String describe(Object value) {
        return value == null
                ? "None"
                : value instanceof Values.Global global
                        ? "global " + Globals.printable(global)
                        : value.getClass().getSimpleName();
    }
}
