#include "proxy/config/source_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NO_FD = -1 };

struct replacement {
    char path[PATH_MAX];       /* without symbolic links */
    char draft[PATH_MAX + 16]; /* hidden, and no *.cfg: a reload meanwhile does not read it */
    struct stat status;        /* of the file */
};

static bool system_fault(struct fault *fault, const char *what, const char *path)
{
    return fault_set(fault, "cannot %s `%s`: %s", what, path, strerror(errno));
}

static bool write_whole(int fd, struct strview text)
{
    while (text.length > 0) {
        ssize_t written = write(fd, text.data, text.length);
        if (written < 0 && errno != EINTR)
            return false;
        text = strview_from(text, written > 0 ? (size_t)written : 0);
    }
    return true;
}

/* Does the file still hold the text? A comparison by pieces, without holding both. */
static bool holds(int fd, struct strview text)
{
    char piece[16 * 1024];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof(piece));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0 && text.length == 0;
        if ((size_t)got > text.length || memcmp(piece, text.data, (size_t)got) != 0)
            return false;
        text = strview_from(text, (size_t)got);
    }
}

static bool check_unchanged(struct replacement *replacement, struct strview before,
                            struct fault *fault)
{
    int fd = open(replacement->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &replacement->status) != 0) {
        system_fault(fault, "read", replacement->path);
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool same = holds(fd, before);
    close(fd);
    return same || fault_set(fault, "`%s` was changed by somebody else just now; try again",
                             replacement->path);
}

static bool write_draft(const struct replacement *replacement, struct strview text)
{
    int fd = open(replacement->draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    const struct stat *status = &replacement->status;
    if (fchown(fd, status->st_uid, status->st_gid) != 0)
        errno = 0; /* another owner's file in a folder of ours: it becomes ours */
    bool good = write_whole(fd, text) && fchmod(fd, status->st_mode & 07777) == 0 && fsync(fd) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return good;
}

/* The rename itself is durable when its folder is. */
static bool sync_folder(const char *path)
{
    char folder[PATH_MAX];
    size_t length = (size_t)(strrchr(path, '/') - path);
    memcpy(folder, path, length);
    memcpy(folder + length, "/", 2);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = fsync(fd) == 0;
    close(fd);
    return good;
}

static void name_draft(struct replacement *replacement)
{
    const char *name = strrchr(replacement->path, '/') + 1;
    snprintf(replacement->draft, sizeof(replacement->draft), "%.*s.%s.%ld",
             (int)(name - replacement->path), replacement->path, name, (long)getpid());
}

bool source_replace(const char *path, struct strview before, struct strview after,
                    struct fault *fault)
{
    struct replacement replacement;
    if (realpath(path, replacement.path) == NULL)
        return system_fault(fault, "find", path);
    name_draft(&replacement);
    if (!check_unchanged(&replacement, before, fault))
        return false;
    unlink(replacement.draft); /* of a process that was killed here */
    if (!write_draft(&replacement, after) || rename(replacement.draft, replacement.path) != 0) {
        system_fault(fault, "write", replacement.draft);
        unlink(replacement.draft);
        return false;
    }
    return sync_folder(replacement.path) || system_fault(fault, "make durable", replacement.path);
}
