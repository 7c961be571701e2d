package dev.diva.data;

/** Something of the data that was left out: a name (path, or tar!member) and the reason, both in one line. */
public record DataProblem(String name, String reason) {
    @Override
    public String toString() {
        return reason.startsWith(name) ? reason : name + ": " + reason;
    }
}
