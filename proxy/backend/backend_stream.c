#include "proxy/backend/backend_stream.h"

struct strview backend_fault_name(enum backend_fault fault)
{
    static const char *const names[BACKEND_FAULT_COUNT] = {
        [BACKEND_FAULT_CONNECT] = "connect",
        [BACKEND_FAULT_CONNECT_TIMEOUT] = "connect_timeout",
        [BACKEND_FAULT_RESET] = "reset",
        [BACKEND_FAULT_REFUSED] = "refused",
        [BACKEND_FAULT_MALFORMED] = "malformed",
        [BACKEND_FAULT_HEADER_LIMIT] = "header_limit",
        [BACKEND_FAULT_OVERLOAD] = "overload",
        [BACKEND_FAULT_FIRST_BYTE_TIMEOUT] = "first_byte_timeout",
        [BACKEND_FAULT_IDLE_TIMEOUT] = "idle_timeout",
        [BACKEND_FAULT_TOTAL_TIMEOUT] = "total_timeout",
        [BACKEND_FAULT_TLS] = "tls",
        [BACKEND_FAULT_NO_ENDPOINT] = "no_endpoint",
        [BACKEND_FAULT_STATUS] = "status",
    };
    return strview_of(names[fault]);
}
