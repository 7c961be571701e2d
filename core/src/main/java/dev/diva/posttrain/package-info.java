/** Post-training by a feedback method: recipes, and runs put together from them. May use feedback, the loop and below, and data. */
package dev.diva.posttrain;
