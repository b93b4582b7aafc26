#include "tests/unit/control/state_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <ftw.h>
#include <sqlite3.h>

void state_folder_init(struct state_folder *folder)
{
    snprintf(folder->path, sizeof(folder->path), "/tmp/strangler-unit-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

void state_folder_done(struct state_folder *folder)
{
    nftw(folder->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void state_folder_file(const struct state_folder *folder, const char *name,
                       char path[static STATE_PATH_BYTES])
{
    int length = snprintf(path, STATE_PATH_BYTES, "%s/%s", folder->path, name);
    assert_true(length > 0 && length < STATE_PATH_BYTES);
}

void state_folder_write(const struct state_folder *folder, const char *name, const char *text)
{
    char path[STATE_PATH_BYTES];
    state_folder_file(folder, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void state_folder_sql(const struct state_folder *folder, const char *sql)
{
    char path[STATE_PATH_BYTES];
    sqlite3 *database = NULL;
    state_folder_file(folder, "strangler.db", path);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    char *problem = NULL;
    if (sqlite3_exec(database, sql, NULL, NULL, &problem) != SQLITE_OK)
        fail_msg("%s", problem);
    sqlite3_close(database);
}
