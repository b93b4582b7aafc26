/* A folder of its own for a test that keeps state. Single-threaded. */
#ifndef TESTS_UNIT_CONTROL_STATE_FOLDER_H
#define TESTS_UNIT_CONTROL_STATE_FOLDER_H

enum { STATE_PATH_BYTES = 256 };

struct state_folder {
    char path[STATE_PATH_BYTES];
};

void state_folder_init(struct state_folder *folder);
void state_folder_done(struct state_folder *folder); /* with all that is in it */

/* The path of a file in it. */
void state_folder_file(const struct state_folder *folder, const char *name,
                       char path[static STATE_PATH_BYTES]);

/* Writes a file into it. */
void state_folder_write(const struct state_folder *folder, const char *name, const char *text);

/* Runs SQL on strangler.db, with a connection of its own. */
void state_folder_sql(const struct state_folder *folder, const char *sql);

#endif
