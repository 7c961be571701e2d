package dev.diva.eval;

/** Images of one class that were told right, of all of that class. */
public record ClassScore(int correct, int images) {
    /** Share of images told right. */
    public double accuracy() {
        return (double) correct / images;
    }

    /** Wilson's interval of the share. */
    public Interval interval() {
        return Interval.wilson(correct, images);
    }
}
