/*
 * The proxy's own messages (not the access log): one line each on standard error, written whole,
 * any thread. Never on the request path. Secrets and request contents are not logged.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* Messages below `level` are dropped. Call before threads start. */
void log_set_level(enum log_level level);

/* Bytes outside printable ASCII are written as \xHH; a line is cut at 2 KiB. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
