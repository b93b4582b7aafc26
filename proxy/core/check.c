#include "proxy/core/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "strangler: broken invariant at %s:%d: %s\n", file, line, what);
    abort();
}
