/* The head of an answer, read both ways (plain_head_check.h). The first byte is the method. */
#include "tests/fuzz/fuzz.h"

#include "tests/support/plain_head_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum http_method methods[] = {METHOD_GET, METHOD_HEAD, METHOD_POST};
    if (size > 0)
        plain_head_check(methods[data[0] % 3], strview_make((const char *)data + 1, size - 1));
    return 0;
}
