#include "monolith_stub/seed.h"

#include <stdio.h>

struct seed_user {
    const char *username;
    const char *name;
    const char *bio;
};

struct seed_thread {
    const char *title;
    int created_by;
};

static const struct seed_user users[] = {
    {"marga", "Marga Oyelaran", "Keeps a twenty-year-old booking system alive with tea and tests."},
    {"tobiasf", "Tobias Finke", "Reads changelogs for fun. Yes, all of them."},
    {"ines.q", "Inês Quaresma", "Databases by day, tide tables by night."},
    {"oldcron", "Walter Dunmore", "I was the scheduled job before there were scheduled jobs."},
    {"pilu", "Pilvi Lumme", "Operations. If it pages, I have met it."},
    {"nadir_k", "Nadir Kassab", "Draws boxes and arrows, then rubs out most of them."},
    {"hollyhock", "Holly Brandreth", "Front-end, forms & fieldsets. Ask me about <label>."},
    {"zhenya", "Zhenya Markovich", "Measures first. Has opinions about percentiles."},
    {"sunny", "Sunniva Aas", "Support desk; speaks fluent \"it worked yesterday\"."},
    {"quill", "Rohan Quillfeather", "Writes the manuals nobody reads until 3 a.m."},
    {"bea", "Beatriz Llorente", "Mobile apps. Caches everything, regrets some of it."},
    {"moss", "Jun Morinaga", "New here. Inherited 400,000 lines and a fern."},
};

static const struct seed_thread threads[] = {
    {"Welcome: say hello and show us your oldest line of code", 1},
    {"Which piece did you cut out first?", 12},
    {"Feature flags that outlived their feature", 6},
    {"The nightly job that runs at noon", 4},
    {"Reading your own writes, or: where did my comment go?", 11},
    {"p99 is somebody's whole day", 8},
    {"Do you compare old & new answers before you switch?", 2},
    {"Forms without JavaScript <3", 7},
    {"Runbooks that somebody actually followed", 5},
    {"Off topic: what grows on your desk?", 12},
};

enum {
    USER_COUNT = sizeof(users) / sizeof(users[0]),
    THREAD_COUNT = sizeof(threads) / sizeof(threads[0])
};

static sqlite3_stmt *prepare(struct store *store, const char *sql)
{
    sqlite3_stmt *insert = NULL;
    if (sqlite3_prepare_v2(store->database, sql, -1, &insert, NULL) != SQLITE_OK)
        fprintf(stderr, "monolith_stub: seed: %s\n", sqlite3_errmsg(store->database));
    return insert;
}

static bool insert_row(sqlite3_stmt *insert)
{
    int outcome = sqlite3_step(insert);
    return store_end(insert) && outcome == SQLITE_DONE;
}

static bool insert_users(struct store *store)
{
    sqlite3_stmt *insert =
        prepare(store, "INSERT INTO users (id, username, name, bio) VALUES (?1, ?2, ?3, ?4)");
    bool inserted = insert != NULL;
    for (int i = 0; inserted && i < USER_COUNT; i++) {
        sqlite3_bind_int(insert, 1, i + 1);
        sqlite3_bind_text(insert, 2, users[i].username, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 3, users[i].name, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 4, users[i].bio, -1, SQLITE_STATIC);
        inserted = insert_row(insert);
    }
    sqlite3_finalize(insert);
    return inserted;
}

static bool insert_threads(struct store *store)
{
    sqlite3_stmt *insert =
        prepare(store, "INSERT INTO threads (id, title, created_by) VALUES (?1, ?2, ?3)");
    bool inserted = insert != NULL;
    for (int i = 0; inserted && i < THREAD_COUNT; i++) {
        sqlite3_bind_int(insert, 1, i + 1);
        sqlite3_bind_text(insert, 2, threads[i].title, -1, SQLITE_STATIC);
        sqlite3_bind_int(insert, 3, threads[i].created_by);
        inserted = insert_row(insert);
    }
    sqlite3_finalize(insert);
    return inserted;
}

static bool insert_posts(struct store *store)
{
    sqlite3_stmt *insert =
        prepare(store, "INSERT INTO posts (thread_id, user_id, text) VALUES (?1, ?2, ?3)");
    bool inserted = insert != NULL;
    for (size_t i = 0; inserted && i < seed_post_count; i++) {
        sqlite3_bind_int(insert, 1, seed_posts[i].thread_id);
        sqlite3_bind_int(insert, 2, seed_posts[i].user_id);
        sqlite3_bind_text(insert, 3, seed_posts[i].text, -1, SQLITE_STATIC);
        inserted = insert_row(insert);
    }
    sqlite3_finalize(insert);
    return inserted;
}

bool seed_fill(struct store *store)
{
    return insert_users(store) && insert_threads(store) && insert_posts(store);
}
