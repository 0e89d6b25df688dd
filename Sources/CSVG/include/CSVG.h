// Drawings to pixels: the one thing that scenes need of librsvg. Meant for files of installed packages, not of strangers.
#ifndef CSVG_H
#define CSVG_H

#include <stddef.h>
#include <stdint.h>

// Renders an SVG file with its larger side at `long_side` pixels. Gives straight RGBA, row-major, to be released with
// `csvg_free`, and its size; NULL where the file cannot be drawn.
uint8_t *csvg_render(const uint8_t *bytes, size_t length, int32_t long_side, int32_t *width, int32_t *height);

void csvg_free(uint8_t *pixels);

#endif
