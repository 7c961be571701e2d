/** The exception that every package may throw at a user; everything else lives in the packages below. */
package dev.diva;
