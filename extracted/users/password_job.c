#include "extracted/users/password_job.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "extracted/service_kit/http_job.h"

struct password_job {
    struct http_job job;
    struct password_work work;
    char password[PASSWORD_LONGEST];
    size_t password_bytes;
};

static void compute(struct http_job *job)
{
    struct password_job *password = (struct password_job *)job; /* its first member */
    struct password_work *work = &password->work;
    struct http_view text = {password->password, password->password_bytes};
    work->is_good =
        work->is_new ? password_hash_new(text, &work->hash) : password_fits(text, &work->hash);
    OPENSSL_cleanse(password->password, sizeof(password->password));
}

static void free_job(struct http_job *job)
{
    OPENSSL_cleanse(job, sizeof(struct password_job));
    free(job);
}

static void start(const struct http_request *request, struct http_reply *reply,
                  struct http_view password, const struct password_work *work)
{
    struct password_job *job = calloc(1, sizeof(*job));
    if (job == NULL || password.length > PASSWORD_LONGEST) {
        free(job);
        http_reply_fault(reply);
        return;
    }
    job->job.run = compute;
    job->job.free = free_job;
    job->work = *work;
    memcpy(job->password, password.bytes, password.length);
    job->password_bytes = password.length;
    http_job_start(request, reply, &job->job);
}

bool password_job_run(const struct http_request *request, struct http_reply *reply,
                      struct http_view password, struct password_work *work)
{
    const struct http_job *job = http_job_find(reply);
    if (job == NULL) {
        start(request, reply, password, work);
        return false;
    }
    if (!job->task.is_done) {
        http_job_reply_busy(reply);
        return false;
    }
    *work = ((const struct password_job *)job)->work;
    return true;
}
