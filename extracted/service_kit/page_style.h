/*
 * The forum's style sheet: whichever application is asked has it. The loop's thread.
 */
#ifndef SERVICE_KIT_PAGE_STYLE_H
#define SERVICE_KIT_PAGE_STYLE_H

#include "extracted/service_kit/router.h"

http_answer page_style;

#endif
