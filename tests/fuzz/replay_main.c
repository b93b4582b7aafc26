/*
 * Runs a fuzzer's entry point on files, and on all files of folders, named as arguments. Built with
 * REPLAY_FAILING_MEMORY, each input runs again and again, and in every run another allocation
 * fails, from the first to the last: nothing may crash, and the leak checker finds nothing.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

#ifdef REPLAY_FAILING_MEMORY
#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "tests/support/failing_memory.h"

bool fuzz_memory_fails;
static unsigned failures;

/* The first run is whole: it makes what a program makes once, at its start. */
static void run(const uint8_t *bytes, size_t size)
{
    LLVMFuzzerTestOneInput(bytes, size);
    fuzz_memory_fails = true;
    bool failed = true;
    for (unsigned number = 1; failed; number++) {
        CHECK(memory_reserve_fill());
        failing_memory_begin(number);
        LLVMFuzzerTestOneInput(bytes, size);
        failed = failing_memory_end();
        failures += failed;
    }
    fuzz_memory_fails = false;
}
#else
static void run(const uint8_t *bytes, size_t size)
{
    LLVMFuzzerTestOneInput(bytes, size);
}
#endif

static bool print_total(int inputs)
{
#ifdef REPLAY_FAILING_MEMORY
    printf("%d inputs, %u allocations failed\n", inputs, failures);
    return failures > 0;
#else
    printf("%d inputs\n", inputs);
    return inputs > 0;
#endif
}

static int replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    int result = -1;
    if (bytes != NULL && fread(bytes, 1, size, file) == size) {
        run(bytes, size);
        result = 1;
    }
    free(bytes);
    fclose(file);
    return result;
}

/* The number of inputs that were run, or -1. */
static int replay(const char *path);

static int replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        perror(path);
        return -1;
    }
    int total = 0;
    const struct dirent *entry;
    while (total >= 0 && (entry = readdir(folder)) != NULL) {
        char name[PATH_MAX];
        int length = snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || length < 0 || (size_t)length >= sizeof(name))
            continue;
        int count = replay(name);
        total = count < 0 ? -1 : total + count;
    }
    closedir(folder);
    return total;
}

static int replay(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        perror(path);
        return -1;
    }
    return S_ISDIR(status.st_mode) ? replay_folder(path)
                                   : replay_file(path, (size_t)status.st_size);
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int count = replay(argv[i]);
        if (count < 0)
            return 1;
        total += count;
    }
    /* An empty corpus tests nothing, whatever the reason. */
    return print_total(total) ? 0 : 1;
}
