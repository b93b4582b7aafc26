/*
 * Tells whoever supervises us how we are: sd_notify(3)'s datagrams to the socket that NOTIFY_SOCKET
 * names, and nothing at all without it. Control thread.
 */
#ifndef CONTROL_NOTIFY_H
#define CONTROL_NOTIFY_H

#include <sys/types.h>

void notify_ready(void);

/* Begins what the next notify_ready ends: a reload, or a hand-over. */
void notify_reloading(void);

void notify_stopping(void);

/* The service goes on in another process, which is ready. */
void notify_main_pid(pid_t pid);

#endif
