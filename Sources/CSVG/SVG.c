#include "CSVG.h"

#include <librsvg/rsvg.h>
#include <math.h>
#include <stdlib.h>

// The drawing's own size, of which only the ratio counts.
static int natural_size(RsvgHandle *handle, double *width, double *height) {
    if (rsvg_handle_get_intrinsic_size_in_pixels(handle, width, height) && *width > 0 && *height > 0) return 1;
    gboolean has_width, has_height, has_viewbox;
    RsvgLength w, h;
    RsvgRectangle viewbox;
    rsvg_handle_get_intrinsic_dimensions(handle, &has_width, &w, &has_height, &h, &has_viewbox, &viewbox);
    if (!has_viewbox || viewbox.width <= 0 || viewbox.height <= 0) return 0;
    *width = viewbox.width;
    *height = viewbox.height;
    return 1;
}

// Cairo has native-endian ARGB with premultiplied alpha.
static void to_straight_rgba(const uint8_t *source, int stride, int width, int height, uint8_t *target) {
    for (int y = 0; y < height; y++) {
        const uint32_t *row = (const uint32_t *)(source + (size_t)y * stride);
        for (int x = 0; x < width; x++, target += 4) {
            uint32_t argb = row[x], alpha = argb >> 24;
            for (int channel = 0; channel < 3; channel++) {
                uint32_t value = (argb >> (16 - 8 * channel)) & 255;
                target[channel] = alpha == 0 ? 0 : (uint8_t)((value * 255 + alpha / 2) / alpha);
            }
            target[3] = (uint8_t)alpha;
        }
    }
}

static uint8_t *render(RsvgHandle *handle, int width, int height) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    cairo_t *context = cairo_create(surface);
    RsvgRectangle viewport = {0, 0, width, height};
    uint8_t *pixels = NULL;
    if (rsvg_handle_render_document(handle, context, &viewport, NULL) && cairo_status(context) == CAIRO_STATUS_SUCCESS) {
        cairo_surface_flush(surface);
        pixels = malloc((size_t)width * height * 4);
        if (pixels != NULL)
            to_straight_rgba(
                cairo_image_surface_get_data(surface), cairo_image_surface_get_stride(surface), width, height, pixels);
    }
    cairo_destroy(context);
    cairo_surface_destroy(surface);
    return pixels;
}

uint8_t *csvg_render(const uint8_t *bytes, size_t length, int32_t long_side, int32_t *width, int32_t *height) {
    if (long_side < 1 || long_side > 8192) return NULL;
    RsvgHandle *handle = rsvg_handle_new_from_data(bytes, length, NULL);
    if (handle == NULL) return NULL;
    rsvg_handle_set_dpi(handle, 96);
    double w, h;
    uint8_t *pixels = NULL;
    if (natural_size(handle, &w, &h)) {
        double scale = long_side / (w > h ? w : h);
        *width = (int32_t)fmax(1, round(w * scale));
        *height = (int32_t)fmax(1, round(h * scale));
        pixels = render(handle, *width, *height);
    }
    g_object_unref(handle);
    return pixels;
}

void csvg_free(uint8_t *pixels) {
    free(pixels);
}
