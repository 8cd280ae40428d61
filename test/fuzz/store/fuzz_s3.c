/* Documents of an S3 server: lists, errors, lifecycle rules. */
#include "store/s3.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cp_s3_page page = {.n = 0};
    char code[16];
    int wanted;
    if (!cp_s3_read_page(data, size, 20, &page, NULL)) {
        for (int i = 0; i < page.n; i++)
            if (!*page.entries[i].key || page.entries[i].length_bytes < 0)
                abort();
        free(page.entries);
    }
    cp_s3_read_element(data, size, "Code", code, sizeof code);
    if (strlen(code) >= sizeof code)
        abort();
    struct cp_buffer out = cp_buffer_make(1 << 20);
    if (!cp_s3_write_lifecycle(data, size, "compere/", &out, NULL) &&
        cp_s3_count_rules(out.data, out.length, "compere/", &wanted) != wanted)
        abort();
    cp_buffer_free(&out);
    return 0;
}
