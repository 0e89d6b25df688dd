#include "Private.h"

CVStatus cv_render_text(const char *markup, const char *font, CVTextMask *mask) {
    VipsImage *text = NULL;
    CVStatus status = CV_FAILED;
    // At 72 dpi a point is a pixel.
    if (vips_text(&text, markup, "font", font, "dpi", 72, NULL) == 0) {
        size_t size = 0;
        mask->coverage = vips_image_write_to_memory(text, &size);
        if (mask->coverage != NULL && text->Bands == 1 && size == (size_t)text->Xsize * text->Ysize) {
            mask->width = text->Xsize;
            mask->height = text->Ysize;
            mask->left = text->Xoffset;
            mask->top = text->Yoffset;
            status = CV_OK;
        } else {
            g_free(mask->coverage);
            mask->coverage = NULL;
        }
    }
    if (text) g_object_unref(text);
    vips_thread_shutdown();
    return status;
}
