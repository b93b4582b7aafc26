#include "monolith_stub/suspensions.h"

void suspensions_init(struct suspensions *suspensions)
{
    *suspensions = (struct suspensions){.count = 0};
    pthread_mutex_init(&suspensions->lock, NULL);
    pthread_cond_init(&suspensions->ended, NULL);
}

void suspensions_done(struct suspensions *suspensions)
{
    pthread_cond_destroy(&suspensions->ended);
    pthread_mutex_destroy(&suspensions->lock);
}

bool suspensions_begin(struct suspensions *suspensions, struct MHD_Connection *connection)
{
    pthread_mutex_lock(&suspensions->lock);
    bool may = !suspensions->stops;
    suspensions->count += may;
    pthread_mutex_unlock(&suspensions->lock);
    if (may)
        MHD_suspend_connection(connection);
    return may;
}

/* Counted out only when libmicrohttpd knows: the stop may follow at once. */
void suspensions_end(struct suspensions *suspensions, struct MHD_Connection *connection)
{
    MHD_resume_connection(connection);
    pthread_mutex_lock(&suspensions->lock);
    if (--suspensions->count == 0)
        pthread_cond_signal(&suspensions->ended);
    pthread_mutex_unlock(&suspensions->lock);
}

void suspensions_stop(struct suspensions *suspensions)
{
    pthread_mutex_lock(&suspensions->lock);
    suspensions->stops = true;
    while (suspensions->count > 0)
        pthread_cond_wait(&suspensions->ended, &suspensions->lock);
    pthread_mutex_unlock(&suspensions->lock);
}
