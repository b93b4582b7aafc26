/*
 * The socket a service listens on. It is bound early, so that a bad address is reported before any
 * work is done, and listens late, so that nobody connects to a service with nothing to say.
 */
#ifndef SERVICE_KIT_LISTEN_ADDRESS_H
#define SERVICE_KIT_LISTEN_ADDRESS_H

enum { LISTEN_ADDRESS_LENGTH = 128 };

enum listen_address_fault {
    LISTEN_ADDRESS_FINE,
    LISTEN_ADDRESS_MALFORMED, /* not ADDRESS:PORT, [ADDRESS]:PORT or NAME:PORT; PORT 0 to 65535 */
    LISTEN_ADDRESS_REFUSED,   /* the system says no: errno */
};

/* Binds a non-blocking socket, which the caller then owns. */
enum listen_address_fault listen_address_bind(const char *address, int *ret_socket);

/* Starts to listen and writes the real address (port 0 has become a number) into ret_text, which
 * has LISTEN_ADDRESS_LENGTH bytes. The socket stays the caller's. */
enum listen_address_fault listen_address_open(int bound_socket, char *ret_text);

#endif
