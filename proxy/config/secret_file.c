#include "proxy/config/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static bool read_fault(const char *path, const char *why, struct fault *fault)
{
    return fault_set(fault, "`%s` cannot be used: %s", path, why);
}

/* Bytes read, or -1. A file that fills the buffer is too long. */
static ssize_t read_all(int fd, char *buffer, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t got = read(fd, buffer + length, size - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

static bool read_open(int fd, const char *path, char *buffer, size_t size, struct fault *fault)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return read_fault(path, strerror(errno), fault);
    if (!S_ISREG(status.st_mode))
        return read_fault(path, "it is no regular file", fault);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return read_fault(path, "others than its owner may use it (chmod 600)", fault);
    ssize_t length = read_all(fd, buffer, size);
    if (length < 0)
        return read_fault(path, strerror(errno), fault);
    if ((size_t)length == size)
        return read_fault(path, "it is too long", fault);
    if (memchr(buffer, '\0', (size_t)length) != NULL)
        return read_fault(path, "it is no text", fault);
    buffer[length] = '\0';
    return true;
}

bool secret_file_read(const char *path, char *buffer, size_t size, struct fault *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return read_fault(path, strerror(errno), fault);
    bool good = read_open(fd, path, buffer, size, fault);
    if (!good)
        explicit_bzero(buffer, size);
    close(fd);
    return good;
}

static bool write_draft(const char *draft, const char *text)
{
    size_t length = strlen(text);
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool good =
        fchmod(fd, 0600) == 0 && write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return good;
}

/* The name is durable, too. */
static void sync_folder(const char *path)
{
    char folder[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
             slash != NULL ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd); /* some file systems cannot */
    close(fd);
}

/* Written beside its place and linked to it: two that start at once agree on one file. */
bool secret_file_make(const char *path, const char *text, struct fault *fault)
{
    char draft[PATH_BYTES];
    int length = snprintf(draft, sizeof(draft), "%s.%ld", path, (long)getpid());
    if (length < 0 || length >= (int)sizeof(draft))
        return fault_set(fault, "the path `%.100s…` is too long", path);
    bool good = write_draft(draft, text) && (link(draft, path) == 0 || errno == EEXIST);
    int error = errno;
    unlink(draft);
    if (!good)
        return fault_set(fault, "cannot make `%s`: %s", path, strerror(error));
    sync_folder(path);
    return true;
}
