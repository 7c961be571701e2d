/** Decoding, cropping and resizing of images on one thread, beside Pillow and torchvision. */
package dev.diva.bench.images;
