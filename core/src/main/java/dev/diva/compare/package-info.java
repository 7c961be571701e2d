/** Methods side by side: gain, loss and price of finished runs and of other models against the untouched one. Scores come from {@code eval}. */
package dev.diva.compare;
