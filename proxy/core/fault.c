#include "proxy/core/fault.h"

#include <stdarg.h>
#include <stdio.h>

_Bool fault_set(struct fault *fault, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof(fault->text), format, arguments);
    va_end(arguments);
    return 0;
}
