/*
 * Orders from control to one worker: posted by any thread, carried out in the worker's own. The
 * sender waits until it is done, so that what it sent may lie on its stack.
 */
#ifndef WORKER_MAILBOX_H
#define WORKER_MAILBOX_H

#include <pthread.h>
#include <semaphore.h>

#include "proxy/net/loop.h"

struct mail {
    struct list node;
    void (*run)(void *receiver, void *argument);
    void *argument;
    sem_t *done; /* posted after run */
};

struct mailbox {
    pthread_mutex_t lock;
    struct list mails;
    struct loop *loop; /* of the receiver */
};

void mailbox_init(struct mailbox *mailbox, struct loop *loop);
void mailbox_done(struct mailbox *mailbox);

/* Any thread. The mail has to live until its semaphore is posted. */
void mailbox_post(struct mailbox *mailbox, struct mail *mail);

/* The receiver's thread, when its loop is woken. */
void mailbox_run_all(struct mailbox *mailbox, void *receiver);

#endif
