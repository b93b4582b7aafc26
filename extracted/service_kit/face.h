/*
 * The forum's faces word their faults differently: plain text (face 1.0), problems (JSON), pages.
 * The loop's thread.
 */
#ifndef SERVICE_KIT_FACE_H
#define SERVICE_KIT_FACE_H

#include "extracted/service_kit/http_message.h"

/* A fault in plain text, such as the router's, becomes one in the words of its path's face. What a
 * route said in other words stays. */
void face_translate_fault(const struct http_request *request, struct http_reply *reply);

#endif
