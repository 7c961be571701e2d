/**
 * A projection that is anchored in texts: from captions alone, what a CLIP's embedding of a caption is to become so that a teacher is told what
 * its own text encoder says of that caption.
 */
package dev.diva.feedback.anchor;
