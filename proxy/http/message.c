#include "proxy/http/message.h"

bool response_has_no_content(enum http_method request_method, int status)
{
    return request_method == METHOD_HEAD || (status >= 100 && status < 200) || status == 204 ||
           status == 304;
}
