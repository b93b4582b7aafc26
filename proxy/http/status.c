#include "proxy/http/status.h"

#include <stddef.h>

static const char *const informational[] = {"Continue", "Switching Protocols", "Processing",
                                            "Early Hints"};

static const char *const successful[] = {
    "OK",
    "Created",
    "Accepted",
    "Non-Authoritative Information",
    "No Content",
    "Reset Content",
    "Partial Content",
    "Multi-Status",
    "Already Reported",
    [26] = "IM Used",
};

static const char *const redirection[] = {
    "Multiple Choices",
    "Moved Permanently",
    "Found",
    "See Other",
    "Not Modified",
    "Use Proxy",
    [7] = "Temporary Redirect",
    [8] = "Permanent Redirect",
};

static const char *const client_error[] = {
    "Bad Request",
    "Unauthorized",
    "Payment Required",
    "Forbidden",
    "Not Found",
    "Method Not Allowed",
    "Not Acceptable",
    "Proxy Authentication Required",
    "Request Timeout",
    "Conflict",
    "Gone",
    "Length Required",
    "Precondition Failed",
    "Content Too Large",
    "URI Too Long",
    "Unsupported Media Type",
    "Range Not Satisfiable",
    "Expectation Failed",
    [21] = "Misdirected Request",
    [22] = "Unprocessable Content",
    [23] = "Locked",
    [24] = "Failed Dependency",
    [25] = "Too Early",
    [26] = "Upgrade Required",
    [28] = "Precondition Required",
    [29] = "Too Many Requests",
    [31] = "Request Header Fields Too Large",
    [51] = "Unavailable For Legal Reasons",
};

static const char *const server_error[] = {
    "Internal Server Error",
    "Not Implemented",
    "Bad Gateway",
    "Service Unavailable",
    "Gateway Timeout",
    "HTTP Version Not Supported",
    "Variant Also Negotiates",
    "Insufficient Storage",
    "Loop Detected",
    [11] = "Network Authentication Required",
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

const char *status_phrase(int status)
{
    static const struct {
        const char *const *phrases;
        size_t count;
    } classes[] = {
        {informational, COUNT(informational)}, {successful, COUNT(successful)},
        {redirection, COUNT(redirection)},     {client_error, COUNT(client_error)},
        {server_error, COUNT(server_error)},
    };
    if (status < 100 || status >= 600)
        return "";
    size_t class = (size_t)status / 100 - 1;
    size_t index = (size_t)status % 100;
    const char *phrase = index < classes[class].count ? classes[class].phrases[index] : NULL;
    return phrase != NULL ? phrase : "";
}
