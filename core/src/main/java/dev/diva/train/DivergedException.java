package dev.diva.train;

/** A loss or gradient stopped being a finite number; the weights and the last checkpoint are those from before. */
public class DivergedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DivergedException(String message) {
        super(message);
    }
}
