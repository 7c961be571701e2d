package dev.diva.data;

/** One seed out of several numbers (the finaliser of SplitMix64, applied after each). */
public final class Mix {
    private Mix() {}

    /** The seed. */
    public static long of(long... numbers) {
        long state = 0x9e3779b97f4a7c15L;
        for (long number : numbers) {
            state = (state ^ number) + 0x9e3779b97f4a7c15L;
            state = (state ^ (state >>> 30)) * 0xbf58476d1ce4e5b9L;
            state = (state ^ (state >>> 27)) * 0x94d049bb133111ebL;
            state ^= state >>> 31;
        }
        return state;
    }
}
