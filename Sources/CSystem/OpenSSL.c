// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

// dl_iterate_phdr is declared only with it.
#define _GNU_SOURCE

#include "CSystem.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __linux__
#include <link.h>
#endif

// ---- Loading --------------------------------------------------------------------------------------------------------

static const struct {
    const char *name;
    size_t offset;
} csystem_functions[] = {
#define CSYSTEM_ENTRY(result, name, parameters) { #name, offsetof(csystem_openssl, name) },
    CSYSTEM_OPENSSL_FUNCTIONS(CSYSTEM_ENTRY)
#undef CSYSTEM_ENTRY
};

#ifdef __linux__

/// Looks at the first object only, which is the executable; leaves whether it names a dynamic loader.
static int csystem_look_for_loader(struct dl_phdr_info *info, size_t size, void *result) {
    (void)size;
    for (int index = 0; index < info->dlpi_phnum; index += 1) {
        if (info->dlpi_phdr[index].p_type == PT_INTERP) {
            *(int *)result = 1;
        }
    }
    return 1;
}

int csystem_is_static(void) {
    int has_loader = 0;
    dl_iterate_phdr(csystem_look_for_loader, &has_loader);
    return !has_loader;
}

#else

int csystem_is_static(void) {
    return 0;
}

#endif

static csystem_bio_method *csystem_make_io_method(const csystem_openssl *table);

static int csystem_fail(int result, void *library, csystem_openssl *table, char *text, size_t size, const char *reason) {
    snprintf(text, size, "%s", reason ? reason : "");
    free(table);
    if (library) {
        dlclose(library);
    }
    return result;
}

int csystem_openssl_load(const char *name, const csystem_openssl **result, char *text, size_t size) {
    if (csystem_is_static()) {
        return csystem_fail(CSYSTEM_OPENSSL_STATIC, NULL, NULL, text, size, NULL);
    }
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        return csystem_fail(CSYSTEM_OPENSSL_MISSING, NULL, NULL, text, size, dlerror());
    }
    csystem_openssl *table = calloc(1, sizeof *table);
    if (!table) {
        return csystem_fail(CSYSTEM_OPENSSL_FAILED, library, NULL, text, size, "out of memory");
    }
    for (size_t index = 0; index < sizeof csystem_functions / sizeof *csystem_functions; index += 1) {
        // Also finds what is in the libcrypto that this very libssl was linked with.
        void *function = dlsym(library, csystem_functions[index].name);
        if (!function) {
            // An older one lacks newer functions; its version says more than the first that is missing.
            const char *(*version)(int) = NULL;
            *(void **)&version = dlsym(library, "OpenSSL_version");
            unsigned long (*number)(void) = NULL;
            *(void **)&number = dlsym(library, "OpenSSL_version_num");
            if (version && number && number() >> 28 != 3) {
                return csystem_fail(CSYSTEM_OPENSSL_UNSUPPORTED, library, table, text, size, version(0));
            }
            const char *missing = csystem_functions[index].name;
            return csystem_fail(CSYSTEM_OPENSSL_INCOMPLETE, library, table, text, size, missing);
        }
        memcpy((char *)table + csystem_functions[index].offset, &function, sizeof function);
    }
    if (table->OpenSSL_version_num() >> 28 != 3) {
        return csystem_fail(CSYSTEM_OPENSSL_UNSUPPORTED, library, table, text, size, table->OpenSSL_version(0));
    }
    // OPENSSL_INIT_NO_ATEXIT: threads may still be in the library when the process exits.
    if (table->OPENSSL_init_ssl(0x00080000, NULL) != 1) {
        return csystem_fail(CSYSTEM_OPENSSL_FAILED, library, table, text, size, "OPENSSL_init_ssl failed");
    }
    table->io_method = csystem_make_io_method(table);
    if (!table->io_method) {
        return csystem_fail(CSYSTEM_OPENSSL_FAILED, library, table, text, size, "out of memory");
    }
    *result = table;
    return CSYSTEM_OPENSSL_LOADED;
}

// ---- A session's input and output -----------------------------------------------------------------------------------


// The flags and commands of OpenSSL 3's bio.h.
enum { CSYSTEM_BIO_READ_AGAIN = 0x01 | 0x08, CSYSTEM_BIO_ALL_FLAGS = 0x0f, CSYSTEM_BIO_FLUSH = 11 };

/// Callbacks get the BIO only, and need the table to ask it for its data.
///
/// Set before the first BIO is made, and only once: all loads in a process find the same library.
static void *(*csystem_bio_data)(csystem_bio *);
static void (*csystem_bio_set_flags)(csystem_bio *, int);
static void (*csystem_bio_clear_flags)(csystem_bio *, int);

static int csystem_io_read(csystem_bio *bio, char *buffer, int size) {
    csystem_tls_io *io = csystem_bio_data(bio);
    csystem_bio_clear_flags(bio, CSYSTEM_BIO_ALL_FLAGS);
    if (size <= 0) {
        return 0;
    }
    if (io->input_count == 0) {
        csystem_bio_set_flags(bio, CSYSTEM_BIO_READ_AGAIN);
        return -1;
    }
    size_t count = io->input_count < (size_t)size ? io->input_count : (size_t)size;
    memcpy(buffer, io->input, count);
    io->input += count;
    io->input_count -= count;
    return (int)count;
}

static int csystem_io_write(csystem_bio *bio, const char *bytes, int count) {
    csystem_tls_io *io = csystem_bio_data(bio);
    csystem_bio_clear_flags(bio, CSYSTEM_BIO_ALL_FLAGS);
    if (count <= 0) {
        return 0;
    }
    size_t needed = io->output_count + (size_t)count;
    if (needed > io->output_limit) {
        return -1;
    }
    if (needed > io->output_capacity) {
        size_t capacity = io->output_capacity ? io->output_capacity * 2 : 512;
        while (capacity < needed) {
            capacity *= 2;
        }
        uint8_t *output = realloc(io->output, capacity);
        if (!output) {
            return -1;
        }
        io->output = output;
        io->output_capacity = capacity;
    }
    memcpy(io->output + io->output_count, bytes, (size_t)count);
    io->output_count = needed;
    return count;
}

static long csystem_io_control(csystem_bio *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == CSYSTEM_BIO_FLUSH ? 1 : 0;
}

static csystem_bio_method *csystem_make_io_method(const csystem_openssl *table) {
    int index = table->BIO_get_new_index();
    // BIO_TYPE_SOURCE_SINK
    csystem_bio_method *method = index < 0 ? NULL : table->BIO_meth_new(index | 0x0400, "swift-stomp");
    if (!method) {
        return NULL;
    }
    csystem_bio_data = table->BIO_get_data;
    csystem_bio_set_flags = table->BIO_set_flags;
    csystem_bio_clear_flags = table->BIO_clear_flags;
    table->BIO_meth_set_read(method, csystem_io_read);
    table->BIO_meth_set_write(method, csystem_io_write);
    table->BIO_meth_set_ctrl(method, csystem_io_control);
    return method;
}

int csystem_tls_attach(const csystem_openssl *table, csystem_ssl *ssl, csystem_tls_io *io) {
    csystem_bio *bio = table->BIO_new(table->io_method);
    if (!bio) {
        return 0;
    }
    table->BIO_set_data(bio, io);
    table->BIO_set_init(bio, 1);
    // One for both directions: it takes the one reference that we have.
    table->SSL_set_bio(ssl, bio, bio);
    return 1;
}

void csystem_tls_release(csystem_tls_io *io) {
    free(io->output);
    io->output = NULL;
    io->output_count = 0;
    io->output_capacity = 0;
}
