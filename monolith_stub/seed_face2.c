#include "monolith_stub/seed.h"

#include <stdio.h>

/* The demo accounts' password is figs-and-dates; README.md says so. scrypt, N 16384, r 8, p 1. */
struct seed_account {
    const char *username;
    const char *salt_hex;
    const char *hash_hex;
};

static const struct seed_account accounts[] = {
    {"marga", "935f656dbeffec93534284cfe7712614",
     "2b71e565a926d57bc97444f5a0da4a871f04a0e4173b5c4ac86fc925edac1d52"},
    {"tobiasf", "56e8829ece38477027455027808850ed",
     "31940e8d277c2cffc2de7a45198c2f4fdf8e10d5336d3464d267e8765f7e9b64"},
    {"ines.q", "279ca7671607449d58ef165de7d5fd76",
     "07ddfa6d6a8ef3a5d94d9dccf468ebd0debc81ac41f5474bb14b4ed62b18bae5"},
    {"oldcron", "0de4bc3c63ab061b185fedeeb85fc2fa",
     "adaf0ad2e3a488c449131cdb4cdf74584411462c340b00425c8b0abc04be907b"},
    {"pilu", "e35ab59203db019b486db3274f45acc4",
     "33717d2c72e523ef305493d9ced69c87c82876e585417503b20fbebc1fc8eca8"},
    {"nadir_k", "cefd4c40c1c35de39e2605af462a7c12",
     "e6ba11a1be1b32283d98bb969fe5c274822777f3892da922c95a87a7c56ebaac"},
    {"hollyhock", "0e4ff56ebae459092bdacd6285e543f3",
     "06a68a8475bea67211a9a6e5e26480df1d32477a652ff8a8c3dc78eeb018e7a8"},
    {"zhenya", "c82f84ffbcc76d6a30592ae0af59d558",
     "f92463cf1a1025ef51dd877f59916b337b64bc71fb6cc8c9f3889fd6cfde1fb3"},
    {"sunny", "e260ec429544b963aba4cf4a4518f0dd",
     "66fa9752647e0235be0b49fb71c16ad9bb6567445aee0dc116ce58cc605f5243"},
    {"quill", "96161a2c9e07b329388bf7692b1128c1",
     "850aa32d14775ad351e2a1471af4b68af5851fed2ece79621454bdf3058ccae8"},
    {"bea", "4f816c097dba79d1afa5d7f8aa00c4de",
     "fa70c747f7a1d4304e189441119ae5c07414d6b78ba9bcead9b86d0c12d4b477"},
    {"moss", "91fd815fcd54fdd0fc0afa30f759257e",
     "c63ea1e09659801daf22a68eb2b20b25eb56a490641b602b059eaa724f2fed9d"},
};

static const char categories[] =
    "INSERT INTO categories (id, slug, title, description, position) VALUES"
    " (1, 'lounge', 'The lounge', 'Hellos, ferns, and everything else.', 1),"
    " (2, 'taking-apart', 'Taking things apart', 'Where to cut, and in which order.', 2),"
    " (3, 'running', 'Running it', 'Operations, on-call, and the night shift.', 3),"
    " (4, 'front-end', 'Front-end', 'Forms, pages, and the people who use them.', 4);"
    "UPDATE threads SET category_id = 2 WHERE title IN"
    " ('Which piece did you cut out first?', 'Feature flags that outlived their feature',"
    " 'Reading your own writes, or: where did my comment go?',"
    " 'Do you compare old & new answers before you switch?');"
    "UPDATE threads SET category_id = 3 WHERE title IN"
    " ('The nightly job that runs at noon', 'p99 is somebody''s whole day',"
    " 'Runbooks that somebody actually followed');"
    "UPDATE threads SET category_id = 4 WHERE title = 'Forms without JavaScript <3';";

static int digit_value(char digit)
{
    return digit <= '9' ? digit - '0' : digit - 'a' + 10;
}

static void bind_hex(sqlite3_stmt *insert, int index, const char *hex)
{
    unsigned char bytes[32];
    int length = 0;
    for (; hex[2 * length] != 0; length++)
        bytes[length] =
            (unsigned char)(digit_value(hex[2 * length]) << 4 | digit_value(hex[2 * length + 1]));
    sqlite3_bind_blob(insert, index, bytes, length, SQLITE_TRANSIENT);
}

static bool insert_accounts(struct store *store)
{
    sqlite3_stmt *insert = NULL;
    if (sqlite3_prepare_v2(store->database,
                           "INSERT INTO accounts SELECT id, username, ?2, ?3, 16384, 8, 1"
                           " FROM users WHERE username = ?1",
                           -1, &insert, NULL) != SQLITE_OK) {
        fprintf(stderr, "monolith_stub: seed: %s\n", sqlite3_errmsg(store->database));
        return false;
    }
    bool inserted = true;
    for (size_t i = 0; inserted && i < sizeof(accounts) / sizeof(accounts[0]); i++) {
        sqlite3_bind_text(insert, 1, accounts[i].username, -1, SQLITE_STATIC);
        bind_hex(insert, 2, accounts[i].salt_hex);
        bind_hex(insert, 3, accounts[i].hash_hex);
        inserted = store_run(insert);
    }
    sqlite3_finalize(insert);
    return inserted;
}

bool seed_fill_face2(struct store *store)
{
    return store_execute(store, categories) && insert_accounts(store);
}
