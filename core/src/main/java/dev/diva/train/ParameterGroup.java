package dev.diva.train;

/**
 * Parameters that learn at one rate.
 *
 * @param prefix what their names begin with; empty for all that no group before this one has
 * @param schedule learning rate of each step
 * @param firstStep first step that changes them
 */
public record ParameterGroup(String prefix, Schedule schedule, long firstStep) {}
