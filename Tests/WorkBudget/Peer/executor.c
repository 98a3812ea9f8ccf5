// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// The jobs of a process with one thread, first come, first served.
#include "WorkBudgetPeer.h"

#include <stdio.h>
#include <stdlib.h>

typedef __attribute__((swiftcall)) void (*enqueue_function)(void *);

// Of the Swift runtime: is asked before a job goes to the pool of threads.
extern __attribute__((swiftcall)) void (*swift_task_enqueueGlobal_hook)(void *, enqueue_function);

// Runs a job as the pool's threads do, which finds out itself which executor its task prefers.
extern __attribute__((swiftcall)) void swift_job_run(void *, void *executor, uintptr_t implementation);

enum { CAPACITY = 1 << 12 };

static void *jobs[CAPACITY];
static size_t first, count;

void budget_enqueue(void *job) {
    if (count == CAPACITY) budget_fail("too many jobs wait");
    jobs[(first + count++) % CAPACITY] = job;
}

void budget_run_jobs(void) {
    while (count > 0) {
        void *job = jobs[first];
        first = (first + 1) % CAPACITY;
        count--;
        swift_job_run(job, NULL, 0);
    }
}

static __attribute__((swiftcall)) void redirect(void *job, enqueue_function original) {
    (void)original;
    budget_enqueue(job);
}

void budget_redirect_jobs(void) { swift_task_enqueueGlobal_hook = redirect; }

void budget_fail(const char *message) {
    fprintf(stderr, "WorkBudget: %s\n", message);
    exit(1);
}
