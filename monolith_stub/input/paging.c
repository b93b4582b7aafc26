#include "monolith_stub/input/paging.h"

#include <string.h>

enum { DIGIT_LIMIT = 15 };

bool number_read(struct text_view digits, int64_t *ret_number)
{
    if (digits.length == 0 || digits.length > DIGIT_LIMIT)
        return false;
    int64_t number = 0;
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.bytes[i] < '0' || digits.bytes[i] > '9')
            return false;
        number = number * 10 + (digits.bytes[i] - '0');
    }
    *ret_number = number;
    return true;
}

bool id_read(struct text_view digits, int64_t *ret_id)
{
    int64_t id;
    if (!number_read(digits, &id) || id == 0)
        return false;
    *ret_id = id;
    return true;
}

bool id_list_read(struct text_view list, struct id_list *ret_list)
{
    ret_list->count = 0;
    for (;;) {
        const char *comma = memchr(list.bytes, ',', list.length);
        size_t length = comma == NULL ? list.length : (size_t)(comma - list.bytes);
        struct text_view digits = {list.bytes, length};
        if (ret_list->count == ID_LIST_LIMIT || !id_read(digits, &ret_list->ids[ret_list->count]))
            return false;
        ret_list->count++;
        if (comma == NULL)
            return true;
        list = (struct text_view){comma + 1, list.length - length - 1};
    }
}

bool page_read(struct text_view digits, int64_t *ret_page)
{
    if (digits.length > 0)
        return digits.length <= 9 && id_read(digits, ret_page);
    *ret_page = 1;
    return true;
}

struct paging paging_of(int64_t page, int64_t total)
{
    int64_t pages = total > 0 ? (total + PAGE_ROWS - 1) / PAGE_ROWS : 1;
    return (struct paging){.page = page, .pages = pages, .total = total};
}

int64_t paging_offset(const struct paging *paging)
{
    return (paging->page - 1) * PAGE_ROWS;
}

int64_t paging_page_of(int64_t before)
{
    return before / PAGE_ROWS + 1;
}
