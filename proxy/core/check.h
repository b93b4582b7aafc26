/*
 * Invariants. CHECK is for what only a fault of our own code can break: it prints where and aborts,
 * in every build. It is never used on input that a client, a backend or a file can shape.
 */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

_Noreturn void check_failed(const char *file, int line, const char *what);

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

#endif
