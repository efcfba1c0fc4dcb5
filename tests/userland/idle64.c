/* SPDX-License-Identifier: Apache-2.0 */
/* Sixty-four threads wait in six ways; the first thread then reads through a null pointer. */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static pthread_barrier_t barrier;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t none;
static int ends[2];

__attribute__((noinline)) static void idle(long how)
{
    struct timespec long_time = {.tv_sec = 1000};
    char byte;

    for (;;) {
        switch (how) {
        case 0:
            poll(NULL, 0, 1000000);
            break;
        case 1:
            if (read(ends[0], &byte, 1) != 1)
                break;
            break;
        case 2:
            nanosleep(&long_time, NULL);
            break;
        case 3:
            pthread_mutex_lock(&lock);
            pthread_cond_wait(&never, &lock);
            pthread_mutex_unlock(&lock);
            break;
        case 4:
            sem_wait(&none);
            break;
        default:
            pause();
        }
    }
}

__attribute__((noinline)) static void *worker(void *arg)
{
    pthread_barrier_wait(&barrier);
    idle((long)arg);
    return NULL;
}

__attribute__((noinline)) static int use(int *p)
{
    return *(volatile int *)p;
}

int main(void)
{
    pthread_barrier_init(&barrier, NULL, 65);
    sem_init(&none, 0, 0);
    if (pipe(ends))
        return 2;
    for (long i = 0; i < 64; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker, (void *)(i % 6)))
            return 2;
    }
    pthread_barrier_wait(&barrier);
    usleep(200000); /* let them come to rest */
    return use(NULL);
}
