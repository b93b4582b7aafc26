/* Answers in HTTP/2, frame by frame or not in frames at all: see response.h. */
#include "tests/fuzz/fuzz.h"

#include "tests/fuzz/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    response_run(BACKEND_H2, data, size);
    return 0;
}
