// A narrow C face of libvips for Swift, whose own interface is variadic.
//
// Every function may be called from any thread after `cv_start`. A failing call returns `CV_FAILED`; `cv_take_error`
// then gives the reason. libvips keeps one error text for the whole process, so with several threads failing at the same
// moment the texts may be mixed up; the status is always right.
#ifndef CVIPS_H
#define CVIPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    CV_OK = 0,
    CV_FAILED = 1,
    // This build of libvips lacks the loader or saver that was named.
    CV_MISSING = 2,
} CVStatus;

// Starts libvips once for the process: no operation cache, one worker thread per call, every loader blocked but those
// for JPEG, PNG, WebP, TIFF, GIF and HEIF.
CVStatus cv_start(void);

// Version of libvips, such as "8.14.1".
const char *cv_version(void);

// Whether this build has an operation, such as "jpegload_buffer" or "webpsave_buffer".
bool cv_has_operation(const char *name);

// The last error text, to be released with `cv_free`. Never NULL, may be empty. Clears the text.
char *cv_take_error(void);

void cv_free(void *memory);

// An opened picture. It reads from the caller's bytes, which must outlive it.
typedef struct CVPicture CVPicture;

typedef struct {
    int32_t width;
    int32_t height;
    // EXIF orientation 1...8, 1 where the file has none.
    int32_t orientation;
    // Bits of a sample: 8, 16 or 32.
    int32_t depth;
    // Whether the colours are those of four inks.
    bool is_cmyk;
} CVHeader;

// Reads the header alone; no pixel is decoded. `loader` is the libvips operation, e.g. "jpegload_buffer".
CVStatus cv_open(const void *bytes, size_t length, const char *loader, CVPicture **picture, CVHeader *header);

// Decodes into 8-bit sRGB, `channels` 3 (alpha dropped) or 4 (opaque where there is no alpha), as stored (not oriented).
// `capacity` must be width * height * channels. Can be called once per picture.
CVStatus cv_read_srgb(CVPicture *picture, int32_t channels, uint8_t *pixels, size_t capacity);

void cv_close(CVPicture *picture);

typedef struct {
    // The libvips operation, e.g. "jpegsave_buffer".
    const char *saver;
    // 1...100, or -1 for savers without a quality.
    int32_t quality;
    // WebP only.
    bool lossless;
} CVEncoding;

// Encodes 8-bit sRGB pixels (3 or 4 channels) without metadata. `*bytes` is released with `cv_free`.
CVStatus cv_encode(
    const uint8_t *pixels, int32_t width, int32_t height, int32_t channels, CVEncoding encoding, void **bytes,
    size_t *length);

typedef struct {
    int32_t width;
    int32_t height;
    // Where the ink starts within the line's layout box, in pixels from its top left corner.
    int32_t left;
    int32_t top;
    // Coverage 0...255, row-major; released with `cv_free`.
    uint8_t *coverage;
} CVTextMask;

// Renders Pango markup (one line) with a font description such as "sans bold 14", the size in pixels.
CVStatus cv_render_text(const char *markup, const char *font, CVTextMask *mask);

#endif
