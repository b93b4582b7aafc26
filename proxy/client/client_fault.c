#include "proxy/client/client_fault.h"

struct strview client_fault_name(enum client_fault fault)
{
    static const char *const names[CLIENT_FAULT_COUNT] = {
        [CLIENT_FAULT_HANDSHAKE] = "handshake",
        [CLIENT_FAULT_HEAD_TIMEOUT] = "head_timeout",
        [CLIENT_FAULT_WRITE_TIMEOUT] = "write_timeout",
        [CLIENT_FAULT_PROTOCOL] = "protocol",
        [CLIENT_FAULT_RESETS] = "resets",
        [CLIENT_FAULT_IDLE_FRAMES] = "idle_frames",
        [CLIENT_FAULT_CONNECTIONS] = "connections",
        [CLIENT_FAULT_PAUSED] = "paused",
        [CLIENT_FAULT_GONE] = "gone",
    };
    return strview_of(names[fault]);
}
