#include "Private.h"

// Warnings about odd files belong to whoever sent the file, not to the standard error of a server.
static void ignore_log(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data) {}

CVStatus cv_start(void) {
    if (vips_init("CVips") != 0) return CV_FAILED;
    // GObject warns of sizes that a broken header claims.
    static const char *const domains[] = {"VIPS", "GLib-GObject"};
    for (size_t i = 0; i < G_N_ELEMENTS(domains); i++)
        g_log_set_handler(
            domains[i], G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG, ignore_log, NULL);
    vips_cache_set_max(0);
    vips_concurrency_set(1);
    vips_block_untrusted_set(TRUE);
    vips_operation_block_set("VipsForeignLoad", TRUE);
    static const char *const allowed[] = {
        "VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadWebp", "VipsForeignLoadTiff",
        "VipsForeignLoadNsgif", "VipsForeignLoadHeif",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(allowed); i++)
        if (g_type_from_name(allowed[i]) != 0) vips_operation_block_set(allowed[i], FALSE);
    return CV_OK;
}

const char *cv_version(void) {
    return vips_version_string();
}

bool cv_has_operation(const char *name) {
    return vips_type_find("VipsOperation", name) != 0;
}

char *cv_take_error(void) {
    return vips_error_buffer_copy();
}

void cv_free(void *memory) {
    g_free(memory);
}
