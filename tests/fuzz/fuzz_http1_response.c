/* Answers in HTTP/1: see response.h. */
#include "tests/fuzz/fuzz.h"

#include "tests/fuzz/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    response_run(BACKEND_HTTP1, data, size);
    return 0;
}
