#include "proxy/observe/metrics_text.h"

#include <dirent.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct family_text {
    const char *name;
    const char *type;
    const char *help;
};

static const struct family_text families[METRIC_FAMILY_COUNT] = {
    [METRIC_REQUESTS] = {"strangler_http_requests_total", "counter",
                         "Answers sent to clients, local replies included."},
    [METRIC_DECISIONS] = {"strangler_decisions_total", "counter",
                          "Requests of a module by the side that served them and why."},
    [METRIC_REQUEST_DURATION] = {"strangler_http_request_duration_seconds", "histogram",
                                 "From the request's head to the end of the answer."},
    [METRIC_BACKEND_DURATION] = {"strangler_backend_duration_seconds", "histogram",
                                 "Time at a backend by phase."},
    [METRIC_BACKEND_ERRORS] = {"strangler_backend_errors_total", "counter",
                               "Answers that a backend failed to give."},
    [METRIC_CLIENT_FAULTS] =
        {"strangler_client_faults_total", "counter",
         "Connections of clients that ended by what the client did or left undone."},
    [METRIC_SHADOW_SAMPLED] = {"strangler_shadow_sampled_total", "counter",
                               "Requests chosen to be copied to the other side."},
    [METRIC_SHADOW_SENT] = {"strangler_shadow_sent_total", "counter", "Copies that were sent."},
    [METRIC_SHADOW_DROPPED] = {"strangler_shadow_dropped_total", "counter",
                               "Copies that were not sent, by why."},
    [METRIC_SHADOW_DURATION] = {"strangler_shadow_duration_seconds", "histogram",
                                "Time that the other side took for a copy."},
    [METRIC_COMPARE] = {"strangler_compare_total", "counter",
                        "Pairs of answers by what comparing them gave."},
    [METRIC_PAIR_DELTA] = {"strangler_pair_latency_delta_seconds", "histogram",
                           "The copy's time less the time of the client's own request."},
};

struct sums {
    struct metrics_shard *const *shards;
    uint32_t count;
};

static uint64_t sum_of(const struct sums *sums, uint32_t id)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < sums->count; i++)
        sum += metrics_read(sums->shards[i], id);
    return sum;
}

static void write_requests(const struct metrics_block *block, const struct sums *sums, FILE *out)
{
    for (uint32_t method = 0; method < METHOD_COUNT; method++) {
        for (uint32_t code = 0; code < METRICS_CODES; code++) {
            uint64_t value = sum_of(sums, block->first + method * METRICS_CODES + code);
            if (value == 0)
                continue;
            char buffer[4];
            struct strview code_name = metrics_code_name(code, buffer);
            struct strview method_name = http_method_name((enum http_method)method);
            fprintf(out, "%s{%.*s,method=\"%.*s\",code=\"%.*s\"} %" PRIu64 "\n",
                    families[block->family].name, STRVIEW_ARGS(block->labels),
                    STRVIEW_ARGS(method_name), STRVIEW_ARGS(code_name), value);
        }
    }
}

static void write_named(const struct metrics_block *block, const struct sums *sums,
                        const char *label, const struct strview *names, uint32_t count, FILE *out)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value = sum_of(sums, block->first + i);
        if (value > 0)
            fprintf(out, "%s{%.*s,%s=\"%.*s\"} %" PRIu64 "\n", families[block->family].name,
                    STRVIEW_ARGS(block->labels), label, STRVIEW_ARGS(names[i]), value);
    }
}

static void write_counter(const struct metrics_block *block, const struct sums *sums, FILE *out)
{
    uint64_t value = sum_of(sums, block->first);
    fprintf(out, "%s{%.*s} %" PRIu64 "\n", families[block->family].name,
            STRVIEW_ARGS(block->labels), value);
}

static double duration_bound(uint32_t bucket)
{
    return (double)metrics_bucket_us(bucket) / 1e6;
}

static double delta_bound(uint32_t bucket)
{
    return (double)metrics_delta_bucket_us(bucket) / 1e6;
}

static void write_buckets(const struct metrics_block *block, const struct sums *sums,
                          uint32_t count, double (*bound)(uint32_t bucket), FILE *out)
{
    const char *name = families[block->family].name;
    uint64_t below = 0;
    for (uint32_t i = 0; i < count; i++) {
        below += sum_of(sums, block->first + i);
        if (i + 1 < count)
            fprintf(out, "%s_bucket{%.*s,le=\"%g\"} %" PRIu64 "\n", name,
                    STRVIEW_ARGS(block->labels), bound(i), below);
    }
    fprintf(out, "%s_bucket{%.*s,le=\"+Inf\"} %" PRIu64 "\n", name, STRVIEW_ARGS(block->labels),
            below);
    /* A sum below zero is kept in two's complement. */
    double sum = (double)(int64_t)sum_of(sums, block->first + count) / 1e6;
    fprintf(out, "%s_sum{%.*s} %.6f\n", name, STRVIEW_ARGS(block->labels), sum);
    fprintf(out, "%s_count{%.*s} %" PRIu64 "\n", name, STRVIEW_ARGS(block->labels), below);
}

static void write_histogram(const struct metrics_block *block, const struct sums *sums,
                            uint32_t count, double (*bound)(uint32_t bucket), FILE *out)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++)
        total += sum_of(sums, block->first + i);
    if (total > 0)
        write_buckets(block, sums, count, bound, out);
}

static void write_block(const struct metric_names *names, const struct metrics_block *block,
                        const struct sums *sums, FILE *out)
{
    switch (block->family) {
    case METRIC_REQUESTS:
        write_requests(block, sums, out);
        break;
    case METRIC_DECISIONS:
        write_named(block, sums, "reason", names->reasons, names->reason_count, out);
        break;
    case METRIC_REQUEST_DURATION:
    case METRIC_BACKEND_DURATION:
    case METRIC_SHADOW_DURATION:
        write_histogram(block, sums, METRICS_BUCKETS, duration_bound, out);
        break;
    case METRIC_BACKEND_ERRORS:
        write_named(block, sums, "fault", names->faults, names->fault_count, out);
        break;
    case METRIC_CLIENT_FAULTS:
        write_named(block, sums, "fault", names->client_faults, names->client_fault_count, out);
        break;
    case METRIC_SHADOW_SAMPLED:
    case METRIC_SHADOW_SENT:
        write_counter(block, sums, out);
        break;
    case METRIC_SHADOW_DROPPED:
        write_named(block, sums, "reason", names->shadow_drops, names->shadow_drop_count, out);
        break;
    case METRIC_COMPARE:
        write_named(block, sums, "verdict", names->verdicts, names->verdict_count, out);
        break;
    case METRIC_PAIR_DELTA:
        write_histogram(block, sums, METRICS_DELTA_BUCKETS, delta_bound, out);
        break;
    case METRIC_FAMILY_COUNT:
        break;
    }
}

static void write_head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_text_write(const struct metrics_registry *registry,
                        struct metrics_shard *const *shards, uint32_t shard_count, FILE *out)
{
    struct sums sums = {shards, shard_count};
    for (int family = 0; family < METRIC_FAMILY_COUNT; family++) {
        write_head(out, families[family].name, families[family].type, families[family].help);
        for (uint32_t i = 0; i < metrics_registry_count(registry); i++) {
            const struct metrics_block *block = metrics_registry_at(registry, i);
            if ((int)block->family == family)
                write_block(metrics_registry_names(registry), block, &sums, out);
        }
    }
}

void metrics_text_gauge(FILE *out, const char *name, const char *help, const char *labels,
                        double value)
{
    write_head(out, name, "gauge", help);
    if (labels != NULL && labels[0] != '\0')
        fprintf(out, "%s{%s} %.17g\n", name, labels, value);
    else
        fprintf(out, "%s %.17g\n", name, value);
}

void metrics_text_counter(FILE *out, const char *name, const char *help, uint64_t value)
{
    write_head(out, name, "counter", help);
    fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static double open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return 0;
    int count = -3; /* "." and "..", and the folder's own */
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    unsigned long long total = 0;
    unsigned long long resident = 0;
    int fields = fscanf(file, "%llu %llu", &total, &resident);
    fclose(file);
    return fields == 2 ? (double)resident * (double)sysconf(_SC_PAGESIZE) : 0;
}

void metrics_text_process(FILE *out)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    write_head(out, "process_cpu_seconds_total", "counter", "User and system time.");
    fprintf(out, "process_cpu_seconds_total %.6f\n", cpu);
    metrics_text_gauge(out, "process_resident_memory_bytes", "Resident memory.", "",
                       resident_bytes());
    metrics_text_gauge(out, "process_open_fds", "Open file descriptors.", "", open_descriptors());
}
