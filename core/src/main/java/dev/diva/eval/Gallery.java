package dev.diva.eval;

import java.util.List;

/**
 * Pictures that show what a score does not, for a page.
 *
 * @param title heading
 * @param note a sentence below it
 */
public record Gallery(String title, String note, List<Row> rows) {
    /**
     * Pictures side by side.
     *
     * @param caption words below them
     * @param names what each is
     * @param images where each is: a path, or tar!member
     */
    public record Row(String caption, List<String> names, List<String> images) {}
}
