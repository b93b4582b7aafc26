/*
 * Threads that are opened on the other side and have not come here yet.
 */
#ifndef MONOLITH_THREAD_NEWS_H
#define MONOLITH_THREAD_NEWS_H

#include "monolith_stub/forum.h"
#include "monolith_stub/text.h"

/* Whether a thread is not here and may be new on the other side; what is no id is no such thread.
 * Reads only; any thread. */
bool thread_may_be_news(struct forum *forum, struct text_view id);

/* Gets what is new; takes time. False: the other side does not say. */
bool thread_news_read(struct forum *forum);

#endif
