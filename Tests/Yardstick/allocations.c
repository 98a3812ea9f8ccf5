// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// Counts what a program asks malloc and its kin for. LD_PRELOAD puts it in front of Glibc's; at the end the count is
// written into the file that ALLOCATIONS_FILE names.
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_ulong count;

static void add(void) { atomic_fetch_add_explicit(&count, 1, memory_order_relaxed); }

void *malloc(size_t size)
{
    add();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    add();
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
    add();
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    add();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    add();
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : 12; // ENOMEM
}

__attribute__((destructor)) static void tell(void)
{
    unsigned long counted = atomic_load(&count);
    const char *path = getenv("ALLOCATIONS_FILE");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fprintf(file, "%lu\n", counted);
    fclose(file);
}
