/* Memory of the renderer: zero, aligned to cache lines, big blocks straight from the kernel on huge pages, so
 * that what a frame never touches is never there. */
#include "render/render_int.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HEADER = 64, BIG = 1 << 20 };

struct header {          /* 64 bytes in front of the block */
    size_t mapped_bytes; /* 0: from malloc */
};

void *cp_render_alloc(size_t bytes)
{
    uint8_t *block;
    size_t total = (bytes + 2 * HEADER + 4095) & ~(size_t)4095; /* kernels may read a vector past the end */
    if (bytes < BIG) {
        block = aligned_alloc(HEADER, total);
        if (!block)
            return NULL;
        memset(block, 0, total);
    } else {
        block = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED)
            return NULL;
        madvise(block, total, MADV_HUGEPAGE);
        ((struct header *)block)->mapped_bytes = total;
    }
    return block + HEADER;
}

void cp_render_free(void *memory)
{
    if (!memory)
        return;
    uint8_t *block = (uint8_t *)memory - HEADER;
    size_t mapped = ((struct header *)block)->mapped_bytes;
    if (mapped)
        munmap(block, mapped);
    else
        free(block);
}
