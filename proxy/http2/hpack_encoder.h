/*
 * Header compression, outwards (RFC 7541), for a connection whose messages are much alike: a field
 * enters the table when it comes for the second time, so that what is of one message only pushes
 * nothing out, and no string is Huffman coded. It costs a quarter of what nghttp2's encoder does.
 * What is secret never enters the table, so that nobody can guess at it by lengths (section 7.1).
 * Embedded in the connection; one thread.
 */
#ifndef HTTP2_HPACK_ENCODER_H
#define HTTP2_HPACK_ENCODER_H

#include "proxy/http/headers.h"

enum {
    HPACK_TABLE_BYTES = 4096, /* what we use at most, and what the other end allows at first */
    HPACK_ENTRY_BYTES = 1024, /* a longer field does not enter the table */
    HPACK_ENTRIES = 128,      /* power of two; each counts 32 bytes at least */
    HPACK_SLOTS = 256,        /* power of two */
    HPACK_GUESSES = 16,       /* fields of a head that are looked for where they were before */
    HPACK_FIELD_BYTES = 20,   /* what a field may take besides its name and value */
    HPACK_BEGIN_BYTES = 12,   /* what stands before the first field at most */
};

struct hpack_entry {
    uint16_t at; /* in the encoder's bytes: the name, then the value */
    uint16_t name_length;
    uint16_t value_length;
};

/* A field that was seen, by its hash; its entry, if that is still there, is the sequence-th ever.
 */
struct hpack_slot {
    uint32_t hash;
    uint32_t sequence;
};

struct hpack_encoder {
    uint32_t limit; /* of the table's bytes, as RFC 7541 section 4.1 counts */
    uint32_t least; /* the least limit since the last head */
    bool limit_changed;
    uint32_t size;
    uint32_t count;
    uint32_t sequence;               /* of the next entry */
    uint32_t next;                   /* in `bytes` */
    uint32_t place;                  /* of the next field in its head */
    uint32_t guesses[HPACK_GUESSES]; /* the entry that stood at this place last */
    struct hpack_entry entries[HPACK_ENTRIES];
    struct hpack_slot slots[HPACK_SLOTS];
    char bytes[HPACK_TABLE_BYTES + HPACK_ENTRY_BYTES]; /* a piece begins anew before it is cut */
};

void hpack_encoder_init(struct hpack_encoder *encoder);

/* The other end allows so many bytes from now on (SETTINGS_HEADER_TABLE_SIZE). */
void hpack_encoder_limit(struct hpack_encoder *encoder, uint32_t bytes);

/* Before the fields of each head. Writes at `to`; returns where to go on. */
char *hpack_encode_begin(struct hpack_encoder *encoder, char *to);

/* Writes one field, whose token is its name's; returns where to go on. */
char *hpack_encode_field(struct hpack_encoder *encoder, char *to, const struct header_field *field);

#endif
