/** Adapters of peft: low-rank changes of a model's layers, read over their base and written. What the model is, they do not know. */
package dev.diva.checkpoint.peft;
