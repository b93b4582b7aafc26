#include "proxy/worker/mailbox.h"

void mailbox_init(struct mailbox *mailbox, struct loop *loop)
{
    pthread_mutex_init(&mailbox->lock, NULL);
    list_init(&mailbox->mails);
    mailbox->loop = loop;
}

void mailbox_done(struct mailbox *mailbox)
{
    pthread_mutex_destroy(&mailbox->lock);
}

void mailbox_post(struct mailbox *mailbox, struct mail *mail)
{
    pthread_mutex_lock(&mailbox->lock);
    list_append(&mailbox->mails, &mail->node);
    pthread_mutex_unlock(&mailbox->lock);
    loop_wake(mailbox->loop);
}

static struct mail *take_first(struct mailbox *mailbox)
{
    struct mail *mail = NULL;
    pthread_mutex_lock(&mailbox->lock);
    if (!list_is_empty(&mailbox->mails)) {
        mail = LIST_ENTRY(mailbox->mails.next, struct mail, node);
        list_remove(&mail->node);
    }
    pthread_mutex_unlock(&mailbox->lock);
    return mail;
}

void mailbox_run_all(struct mailbox *mailbox, void *receiver)
{
    for (struct mail *mail = take_first(mailbox); mail != NULL; mail = take_first(mailbox)) {
        sem_t *done = mail->done;
        mail->run(receiver, mail->argument);
        sem_post(done); /* the mail may be gone from here on */
    }
}
