/* micro_bucket [--count N]: identities to buckets. */
#include "bench/micro/stopwatch.h"
#include "proxy/routing/bucket.h"

int main(int argc, char **argv)
{
    uint64_t count = argument_number(argc, argv, "--count", 10000000);
    char identity[] = "0123456789abcdef0123456789abcdef";
    uint64_t sum = 0;
    uint64_t start = now_ns();
    for (uint64_t i = 0; i < count; i++) {
        identity[i % 32] ^= 1;
        sum += bucket_of(STRVIEW("users"), strview_make(identity, 32));
    }
    report("bucket", start, count, sum);
    return 0;
}
