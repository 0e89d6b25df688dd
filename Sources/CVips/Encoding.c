#include "Private.h"

CVStatus cv_encode(
    const uint8_t *pixels, int32_t width, int32_t height, int32_t channels, CVEncoding encoding, void **bytes,
    size_t *length) {
    if (vips_type_find("VipsForeignSave", encoding.saver) == 0) return CV_MISSING;
    VipsImage *raw = vips_image_new_from_memory(
        pixels, (size_t)width * height * channels, width, height, channels, VIPS_FORMAT_UCHAR);
    VipsImage *image = NULL;
    VipsBlob *blob = NULL;
    CVStatus status = CV_FAILED;
    double white[] = {255, 255, 255};
    VipsArrayDouble *background = vips_array_double_new(white, 3);
    if (raw != NULL && vips_copy(raw, &image, "interpretation", VIPS_INTERPRETATION_sRGB, NULL) == 0) {
        // JPEG has no alpha: the saver flattens onto `background`.
        int failed;
        if (encoding.quality < 0)
            failed = vips_call(encoding.saver, image, &blob, "strip", TRUE, NULL);
        else if (encoding.lossless)
            failed = vips_call(encoding.saver, image, &blob, "strip", TRUE, "lossless", TRUE, NULL);
        else
            failed = vips_call(
                encoding.saver, image, &blob, "strip", TRUE, "Q", encoding.quality, "background", background, NULL);
        if (!failed && blob != NULL) {
            *bytes = g_memdup2(VIPS_AREA(blob)->data, VIPS_AREA(blob)->length);
            *length = VIPS_AREA(blob)->length;
            status = CV_OK;
        }
    }
    if (blob) vips_area_unref(VIPS_AREA(blob));
    vips_area_unref(VIPS_AREA(background));
    if (image) g_object_unref(image);
    if (raw) g_object_unref(raw);
    vips_thread_shutdown();
    return status;
}
