#include "monolith_stub/writer.h"

#include <pthread.h>
#include <stdlib.h>

#include "monolith_stub/waiting_room.h"

struct writer {
    pthread_mutex_t turn;
    struct waiting_room *room;
    struct store store;
};

struct writer *writer_new(const char *path, struct waiting_room *room)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL)
        return NULL;
    pthread_mutex_init(&writer->turn, NULL);
    writer->room = room;
    if (store_open(&writer->store, path) && store_prepare(&writer->store))
        return writer;
    writer_free(writer);
    return NULL;
}

void writer_free(struct writer *writer)
{
    if (writer == NULL)
        return;
    store_close(&writer->store);
    pthread_mutex_destroy(&writer->turn);
    free(writer);
}

struct store *writer_begin(struct writer *writer)
{
    pthread_mutex_lock(&writer->turn);
    writer->store.touched_feeds = 0;
    if (store_execute(&writer->store, "BEGIN IMMEDIATE"))
        return &writer->store;
    pthread_mutex_unlock(&writer->turn);
    return NULL;
}

bool writer_commit(struct writer *writer)
{
    bool committed = store_execute(&writer->store, "COMMIT");
    if (!committed && sqlite3_get_autocommit(writer->store.database) == 0)
        store_execute(&writer->store, "ROLLBACK");
    unsigned feeds = writer->store.touched_feeds;
    pthread_mutex_unlock(&writer->turn);
    if (committed && feeds != 0)
        waiting_room_announce(writer->room, feeds);
    return committed;
}

void writer_rollback(struct writer *writer)
{
    if (sqlite3_get_autocommit(writer->store.database) == 0)
        store_execute(&writer->store, "ROLLBACK");
    pthread_mutex_unlock(&writer->turn);
}
