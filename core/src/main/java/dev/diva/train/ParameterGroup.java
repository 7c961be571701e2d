package dev.diva.train;

/**
 * Parameters that learn at one rate.
 *
 * @param prefix what their names begin with; empty for all that no group before this one has
 * @param schedule learning rate of each step
 * @param firstStep first step that changes them
 * @param endStep first step after it that does not change them any more
 */
public record ParameterGroup(String prefix, Schedule schedule, long firstStep, long endStep) {
    /** To the end of the run. */
    public ParameterGroup(String prefix, Schedule schedule, long firstStep) {
        this(prefix, schedule, firstStep, Long.MAX_VALUE);
    }

    boolean learns(long step) {
        return step >= firstStep && step < endStep;
    }
}
