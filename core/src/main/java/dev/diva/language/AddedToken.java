package dev.diva.language;

/**
 * A token that is found in a text as it stands, before anything else happens to it.
 *
 * @param stripsLeft whether blanks before it belong to it
 * @param stripsRight whether blanks behind it belong to it
 * @param isSpecial whether decoding leaves it out
 */
record AddedToken(String content, long id, boolean stripsLeft, boolean stripsRight, boolean isSpecial) {}
