#include "Private.h"

#include <stdlib.h>

// The largest difference, in 8-bit levels, between a profile and sRGB that counts as none.
static const int srgb_tolerance = 2;

struct CVPicture {
    VipsImage *image;
};

CVStatus cv_open(const void *bytes, size_t length, const char *loader, CVPicture **picture, CVHeader *header) {
    if (vips_type_find("VipsForeignLoad", loader) == 0) return CV_MISSING;
    VipsBlob *blob = vips_blob_new(NULL, bytes, length);
    VipsImage *image = NULL;
    // Sequential access: rows stream from the decoder straight into the caller's buffer.
    int failed = vips_call(
        loader, blob, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL);
    vips_area_unref(VIPS_AREA(blob));
    if (failed || image == NULL) {
        vips_thread_shutdown();
        return CV_FAILED;
    }
    *picture = g_new(CVPicture, 1);
    (*picture)->image = image;
    header->width = vips_image_get_width(image);
    header->height = vips_image_get_height(image);
    header->orientation = vips_image_get_orientation(image);
    header->depth = 8 * (int32_t)vips_format_sizeof(vips_image_get_format(image));
    header->is_cmyk = vips_image_get_interpretation(image) == VIPS_INTERPRETATION_CMYK;
    return CV_OK;
}

void cv_close(CVPicture *picture) {
    if (picture == NULL) return;
    g_object_unref(picture->image);
    g_free(picture);
    vips_thread_shutdown();
}

// MARK: Colour

// Replaces `*image` by `next`, the result of an operation on it.
static void step(VipsImage **image, VipsImage *next) {
    g_object_unref(*image);
    *image = next;
}

// Whether a profile moves no colour of a coarse grid: then the pixels are sRGB already and must stay exact.
static gboolean probe_srgb(const void *profile, size_t length) {
    enum { side = 6, count = side * side * side };
    uint8_t grid[count * 3];
    for (int i = 0; i < count; i++) {
        grid[3 * i] = 51 * (i % side);
        grid[3 * i + 1] = 51 * (i / side % side);
        grid[3 * i + 2] = 51 * (i / side / side);
    }
    VipsImage *probe = vips_image_new_from_memory(grid, sizeof grid, count, 1, 3, VIPS_FORMAT_UCHAR);
    if (probe == NULL) return FALSE;
    VipsImage *tagged = NULL, *converted = NULL;
    uint8_t *result = NULL;
    size_t size = 0;
    if (vips_copy(probe, &tagged, "interpretation", VIPS_INTERPRETATION_sRGB, NULL) == 0) {
        vips_image_set_blob_copy(tagged, VIPS_META_ICC_NAME, profile, length);
        if (vips_icc_transform(tagged, &converted, "srgb", "embedded", TRUE, NULL) == 0)
            result = vips_image_write_to_memory(converted, &size);
    }
    gboolean same = result != NULL && size == sizeof grid;
    for (size_t i = 0; same && i < sizeof grid; i++)
        if (abs(result[i] - grid[i]) > srgb_tolerance) same = FALSE;
    g_free(result);
    if (converted) g_object_unref(converted);
    if (tagged) g_object_unref(tagged);
    g_object_unref(probe);
    return same;
}

// Building a colour transform takes longer than decoding a small photograph, and most files carry one of few profiles,
// so the answers of the probe are kept.
static gboolean has_srgb_profile(VipsImage *image) {
    static GMutex lock;
    static GHashTable *answers;
    enum { most = 64 };
    const void *profile;
    size_t length;
    if (vips_image_get_blob(image, VIPS_META_ICC_NAME, &profile, &length)) return FALSE;
    gchar *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, profile, length);

    g_mutex_lock(&lock);
    if (answers == NULL) answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gpointer known = NULL;
    gboolean found = g_hash_table_lookup_extended(answers, digest, NULL, &known);
    g_mutex_unlock(&lock);
    if (found) {
        g_free(digest);
        return GPOINTER_TO_INT(known);
    }

    gboolean same = probe_srgb(profile, length);
    g_mutex_lock(&lock);
    if (g_hash_table_size(answers) >= most) g_hash_table_remove_all(answers);
    g_hash_table_insert(answers, digest, GINT_TO_POINTER(same));
    g_mutex_unlock(&lock);
    return same;
}

// 16 bits become 8 by dropping the low byte, in every band.
static int reduce_depth(VipsImage **image) {
    if ((*image)->BandFmt != VIPS_FORMAT_USHORT) return 0;
    VipsInterpretation meaning = (*image)->Type;
    if (meaning == VIPS_INTERPRETATION_RGB16) meaning = VIPS_INTERPRETATION_sRGB;
    if (meaning == VIPS_INTERPRETATION_GREY16) meaning = VIPS_INTERPRETATION_B_W;
    VipsImage *next = NULL;
    if (vips_cast(*image, &next, VIPS_FORMAT_UCHAR, "shift", TRUE, NULL)) return -1;
    step(image, next);
    if (vips_copy(*image, &next, "interpretation", meaning, NULL)) return -1;
    step(image, next);
    return 0;
}

// A profile that cannot be used (broken, or for other bands) is ignored, as browsers do.
static void apply_profile(VipsImage **image) {
    if (!vips_image_get_typeof(*image, VIPS_META_ICC_NAME)) return;
    if ((*image)->Type == VIPS_INTERPRETATION_sRGB && has_srgb_profile(*image)) return;
    VipsImage *next = NULL;
    if (vips_icc_transform(*image, &next, "srgb", "embedded", TRUE, NULL) == 0)
        step(image, next);
    else
        vips_error_clear();
}

static int to_srgb(VipsImage **image) {
    VipsImage *next = NULL;
    if (vips_image_decode(*image, &next)) return -1;
    step(image, next);
    if (reduce_depth(image)) return -1;
    apply_profile(image);
    VipsInterpretation meaning = vips_image_guess_interpretation(*image);
    if (meaning != (*image)->Type) {
        if (vips_copy(*image, &next, "interpretation", meaning, NULL)) return -1;
        step(image, next);
    }
    if (meaning != VIPS_INTERPRETATION_sRGB) {
        if (vips_colourspace(*image, &next, VIPS_INTERPRETATION_sRGB, NULL)) return -1;
        step(image, next);
    }
    if ((*image)->BandFmt != VIPS_FORMAT_UCHAR) {
        if (vips_cast(*image, &next, VIPS_FORMAT_UCHAR, NULL)) return -1;
        step(image, next);
    }
    return 0;
}

static int to_channels(VipsImage **image, int channels) {
    VipsImage *next = NULL;
    if ((*image)->Bands == 3 && channels == 4) {
        if (vips_addalpha(*image, &next, NULL)) return -1;
        step(image, next);
    }
    if ((*image)->Bands > channels) {
        if (vips_extract_band(*image, &next, 0, "n", channels, NULL)) return -1;
        step(image, next);
    }
    if ((*image)->Bands != channels) {
        vips_error("cvips", "%d bands cannot become %d channels", (*image)->Bands, channels);
        return -1;
    }
    return 0;
}

CVStatus cv_read_srgb(CVPicture *picture, int32_t channels, uint8_t *pixels, size_t capacity) {
    VipsImage *image = picture->image;
    g_object_ref(image);
    CVStatus status = CV_FAILED;
    if (to_srgb(&image) == 0 && to_channels(&image, channels) == 0) {
        if (VIPS_IMAGE_SIZEOF_IMAGE(image) == capacity) {
            VipsImage *target = vips_image_new_from_memory(
                pixels, capacity, image->Xsize, image->Ysize, channels, VIPS_FORMAT_UCHAR);
            if (target != NULL) {
                if (vips_image_write(image, target) == 0) status = CV_OK;
                g_object_unref(target);
            }
        } else {
            vips_error("cvips", "%d x %d pixels do not fit the buffer", image->Xsize, image->Ysize);
        }
    }
    g_object_unref(image);
    return status;
}
