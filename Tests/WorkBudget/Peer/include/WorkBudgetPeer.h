// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// What a workload needs and must not be counted with it: the check leaves out all that runs in a function whose name
// begins with budget_peer_. And the executor, which keeps everything on one thread.
#ifndef STOMP_WORK_BUDGET_PEER_H
#define STOMP_WORK_BUDGET_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What a client has written: which frames, and what is to be answered.
typedef struct budget_peer budget_peer;

budget_peer *budget_peer_make(void);

/// Where the next bytes of the client go; `count` gets how many there may be.
void *budget_peer_room(budget_peer *peer, size_t *count);

/// So many bytes have come; takes the whole frames out of them.
void budget_peer_received(budget_peer *peer, size_t count);

/// The answers to what has come, which are then forgotten; `count` gets how many bytes they have.
const void *budget_peer_answers(budget_peer *peer, size_t *count);

/// What has come so far. The sum is of the numbers at the end of the ids that were acknowledged.
uint64_t budget_peer_send_count(const budget_peer *peer);
uint64_t budget_peer_send_byte_count(const budget_peer *peer);
uint64_t budget_peer_ack_count(const budget_peer *peer);
uint64_t budget_peer_ack_sum(const budget_peer *peer);

/// Whether the ten digits at the end of an id are this number.
bool budget_peer_is_number(const void *id, size_t count, uint64_t number);

/// As memcpy; stands for the system call that fills a buffer.
void budget_peer_copy(void *to, const void *from, size_t count);

/// Fills `to` with one byte, and ends it with a NUL if it is `isLast`.
void budget_peer_fill(void *to, size_t count, bool isLast);

/// The most memory that the process has used, in kilobytes; 0 if the system does not tell.
size_t budget_peer_peak_memory(void);

/// Says so on standard error, and ends the process with 1.
void budget_fail(const char *message) __attribute__((noreturn));

/// Puts a job behind those that wait.
void budget_enqueue(void *job);

/// Runs jobs, first come, first served, until none is left.
void budget_run_jobs(void);

/// From now on jobs for the pool of threads wait here too.
void budget_redirect_jobs(void);

#endif
