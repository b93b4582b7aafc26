#include "proxy/http2/hpack_encoder.h"

/* RFC 7541 appendix A, as far as requests have use of it. */
enum {
    STATIC_COUNT = 61,
    STATIC_GET = 2,
    STATIC_POST = 3,
    STATIC_PATH = 4,
    STATIC_HTTP = 6,
    STATIC_HTTPS = 7,
};

enum { ENTRY_OVERHEAD_BYTES = 32, WAYS = 2 };

/* First bits of a field (section 6), and how many are left of the byte for its number. */
enum field_kind {
    KIND_INDEXED = 0x80,
    KIND_ADDED = 0x40,
    KIND_SIZE = 0x20,
    KIND_SECRET = 0x10,
    KIND_PLAIN = 0x00,
};

/* --- writing --------------------------------------------------------------------------------- */

/* Section 5.1, behind the bits of `first`. */
static char *put_number(char *to, uint8_t first, unsigned bits, size_t number)
{
    size_t most = (1u << bits) - 1;
    if (number < most) {
        *to++ = (char)(first | number);
        return to;
    }
    *to++ = (char)(first | most);
    for (number -= most; number >= 128; number /= 128)
        *to++ = (char)(number % 128 | 128);
    *to++ = (char)number;
    return to;
}

/* Section 5.2. */
static char *put_string(char *to, struct strview text)
{
    to = put_number(to, 0, 7, text.length);
    if (text.length > 0)
        memcpy(to, text.data, text.length);
    return to + text.length;
}

/* The number of the name in the static table; 0: it is written out. */
static size_t static_name(enum header_token token)
{
    static const uint8_t numbers[HEADER_TOKEN_COUNT] = {
        [HEADER_ACCEPT] = 19,         [HEADER_AUTHORITY] = 1,     [HEADER_CACHE_CONTROL] = 24,
        [HEADER_CONTENT_LENGTH] = 28, [HEADER_CONTENT_TYPE] = 31, [HEADER_COOKIE] = 32,
        [HEADER_DATE] = 33,           [HEADER_EXPECT] = 35,       [HEADER_HOST] = 38,
        [HEADER_MAX_FORWARDS] = 47,   [HEADER_METHOD] = 2,        [HEADER_PATH] = STATIC_PATH,
        [HEADER_SCHEME] = 6,          [HEADER_SET_COOKIE] = 55,   [HEADER_VIA] = 60,
    };
    return numbers[token];
}

static char *put_literal(char *to, enum field_kind kind, const struct header_field *field)
{
    size_t name = static_name(field->token);
    to = put_number(to, (uint8_t)kind, kind == KIND_ADDED ? 6 : 4, name);
    if (name == 0)
        to = put_string(to, field->name);
    return put_string(to, field->value);
}

/* --- the table ------------------------------------------------------------------------------- */

/* Section 4.1. */
static size_t size_of(const struct header_field *field)
{
    return field->name.length + field->value.length + ENTRY_OVERHEAD_BYTES;
}

static struct hpack_entry *entry_at(struct hpack_encoder *encoder, uint32_t sequence)
{
    return &encoder->entries[sequence % HPACK_ENTRIES];
}

static bool is_live(const struct hpack_encoder *encoder, uint32_t sequence)
{
    return encoder->sequence - sequence - 1 < encoder->count;
}

static bool entry_is(struct hpack_encoder *encoder, uint32_t sequence,
                     const struct header_field *field)
{
    const struct hpack_entry *entry = entry_at(encoder, sequence);
    const char *bytes = encoder->bytes + entry->at;
    return is_live(encoder, sequence) &&
           strview_equal(strview_make(bytes, entry->name_length), field->name) &&
           strview_equal(strview_make(bytes + entry->name_length, entry->value_length),
                         field->value);
}

static void evict_above(struct hpack_encoder *encoder, uint32_t size)
{
    while (encoder->size > size) {
        const struct hpack_entry *oldest = entry_at(encoder, encoder->sequence - encoder->count);
        encoder->size -=
            (uint32_t)oldest->name_length + oldest->value_length + ENTRY_OVERHEAD_BYTES;
        encoder->count--;
    }
}

/* The field fits. Pieces lie one behind the other, as old as they come, and together they are
 * shorter than the bytes by the longest of them: none is written over before it is evicted. */
static void add(struct hpack_encoder *encoder, const struct header_field *field)
{
    uint32_t size = (uint32_t)size_of(field);
    uint32_t length = size - ENTRY_OVERHEAD_BYTES;
    evict_above(encoder, encoder->limit - size);
    if (length > sizeof(encoder->bytes) - encoder->next)
        encoder->next = 0;
    char *to = encoder->bytes + encoder->next;
    memcpy(to, field->name.data, field->name.length);
    if (field->value.length > 0)
        memcpy(to + field->name.length, field->value.data, field->value.length);
    *entry_at(encoder, encoder->sequence) = (struct hpack_entry){
        .at = (uint16_t)encoder->next,
        .name_length = (uint16_t)field->name.length,
        .value_length = (uint16_t)field->value.length,
    };
    encoder->next += length;
    encoder->size += size;
    encoder->count++;
    encoder->sequence++;
}

/* --- what was seen --------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* Of every byte, some of them twice. */
static uint64_t hash_text(uint64_t hash, struct strview text)
{
    uint64_t word = text.length;
    if (text.length < sizeof(word)) {
        for (size_t i = 0; i < text.length; i++)
            word = word << 8 | (uint8_t)text.data[i];
        return mix(hash, word);
    }
    const char *last = text.data + text.length - sizeof(word);
    for (const char *at = text.data; at < last; at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        hash = mix(hash, word);
    }
    memcpy(&word, last, sizeof(word));
    return mix(hash, word + text.length);
}

/* The slot of the hash; else one that is given to it, and *ret_is_new. */
static struct hpack_slot *find_slot(struct hpack_encoder *encoder, uint32_t hash, bool *ret_is_new)
{
    struct hpack_slot *slots = &encoder->slots[hash % (HPACK_SLOTS / WAYS) * WAYS];
    for (int i = 0; i < WAYS; i++) {
        if (slots[i].hash == hash) {
            *ret_is_new = false;
            return &slots[i];
        }
    }
    /* What is in use stays if it can. */
    struct hpack_slot *slot = is_live(encoder, slots[0].sequence) ? &slots[1] : &slots[0];
    *slot = (struct hpack_slot){.hash = hash, .sequence = encoder->sequence};
    *ret_is_new = true;
    return slot;
}

/* --- heads ----------------------------------------------------------------------------------- */

void hpack_encoder_init(struct hpack_encoder *encoder)
{
    memset(encoder, 0, sizeof(*encoder));
    encoder->limit = encoder->least = HPACK_TABLE_BYTES;
}

void hpack_encoder_limit(struct hpack_encoder *encoder, uint32_t bytes)
{
    uint32_t limit = bytes < HPACK_TABLE_BYTES ? bytes : HPACK_TABLE_BYTES;
    if (limit == encoder->limit)
        return;
    encoder->limit = limit;
    if (limit < encoder->least)
        encoder->least = limit;
    encoder->limit_changed = true;
}

/* Section 4.2: the least size that the table had to have since, and then what it has now. */
char *hpack_encode_begin(struct hpack_encoder *encoder, char *to)
{
    encoder->place = 0;
    if (!encoder->limit_changed)
        return to;
    evict_above(encoder, encoder->least);
    if (encoder->least < encoder->limit)
        to = put_number(to, KIND_SIZE, 5, encoder->least);
    to = put_number(to, KIND_SIZE, 5, encoder->limit);
    encoder->least = encoder->limit;
    encoder->limit_changed = false;
    return to;
}

/* Other fields for credentials are rare enough to be seen as any other field. */
static bool is_secret(const struct header_field *field)
{
    return field->token == HEADER_COOKIE ||
           (field->token == HEADER_OTHER &&
            (strview_equal(field->name, STRVIEW("authorization")) ||
             strview_equal(field->name, STRVIEW("proxy-authorization"))));
}

/* The number of a method or scheme in the static table; 0: it is not there. */
static size_t static_field(const struct header_field *field)
{
    if (field->token == HEADER_METHOD)
        return strview_equal(field->value, STRVIEW("GET"))    ? STATIC_GET
               : strview_equal(field->value, STRVIEW("POST")) ? STATIC_POST
                                                              : 0;
    return strview_equal(field->value, STRVIEW("http"))    ? STATIC_HTTP
           : strview_equal(field->value, STRVIEW("https")) ? STATIC_HTTPS
                                                           : 0;
}

static char *put_entry(struct hpack_encoder *encoder, char *to, uint32_t sequence)
{
    return put_number(to, KIND_INDEXED, 7, STATIC_COUNT + encoder->sequence - sequence);
}

/* By the table, where it is or to which it is added; *guess becomes its entry. */
static char *put_common(struct hpack_encoder *encoder, char *to, const struct header_field *field,
                        uint32_t *guess)
{
    if (entry_is(encoder, *guess, field))
        return put_entry(encoder, to, *guess);
    bool is_new;
    uint32_t hash = (uint32_t)(hash_text(hash_text(0, field->name), field->value) >> 32);
    struct hpack_slot *slot = find_slot(encoder, hash, &is_new);
    if (is_new)
        return put_literal(to, KIND_PLAIN, field);
    if (entry_is(encoder, slot->sequence, field)) {
        *guess = slot->sequence;
        return put_entry(encoder, to, slot->sequence);
    }
    *guess = slot->sequence = encoder->sequence;
    add(encoder, field);
    return put_literal(to, KIND_ADDED, field);
}

char *hpack_encode_field(struct hpack_encoder *encoder, char *to, const struct header_field *field)
{
    bool is_static = field->token == HEADER_METHOD || field->token == HEADER_SCHEME;
    size_t number = is_static ? static_field(field) : 0;
    if (number != 0)
        return put_number(to, KIND_INDEXED, 7, number);
    if (is_secret(field))
        return put_literal(to, KIND_SECRET, field);
    size_t size = size_of(field);
    if (field->token == HEADER_PATH || field->token == HEADER_CONTENT_LENGTH ||
        size > HPACK_ENTRY_BYTES || size > encoder->limit)
        return put_literal(to, KIND_PLAIN, field);
    return put_common(encoder, to, field, &encoder->guesses[encoder->place++ % HPACK_GUESSES]);
}
