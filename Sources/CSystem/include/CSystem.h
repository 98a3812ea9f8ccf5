// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

// What the module maps of the Linux C libraries leave out. Flags are spelled out as constants, because enumerators
// and macros import differently from Glibc and from Musl. Empty on other systems, but for OpenSSL's functions.

#ifndef SWIFT_STOMP_CSYSTEM_H
#define SWIFT_STOMP_CSYSTEM_H

#include "CSystemOpenSSL.h"

#ifdef __linux__

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/// What one wait reports: the identifier given at registration and the CSYSTEM_ flags below.
typedef struct {
    uint64_t identifier;
    uint32_t flags;
} csystem_event;

static const uint32_t CSYSTEM_READABLE = EPOLLIN;
static const uint32_t CSYSTEM_WRITABLE = EPOLLOUT;
/// The peer has sent its last byte, or the socket has failed.
static const uint32_t CSYSTEM_HUNG_UP = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
/// A subset of the former: not even writing can succeed.
static const uint32_t CSYSTEM_FAILED = EPOLLHUP | EPOLLERR;

/// At most this many events come from one wait.
enum { CSYSTEM_EVENT_LIMIT = 256 };

static inline int csystem_epoll_create(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

/// Reports nothing of use until armed.
static inline int csystem_epoll_add(int queue, int descriptor, uint64_t identifier) {
    struct epoll_event event = { .events = EPOLLONESHOT, .data = { .u64 = identifier } };
    return epoll_ctl(queue, EPOLL_CTL_ADD, descriptor, &event);
}

/// Reports the first of these flags to hold, also one that holds already; then nothing until armed again.
static inline int csystem_epoll_arm(int queue, int descriptor, uint64_t identifier, uint32_t flags) {
    struct epoll_event event = { .events = flags | EPOLLONESHOT, .data = { .u64 = identifier } };
    return epoll_ctl(queue, EPOLL_CTL_MOD, descriptor, &event);
}

/// Level-triggered and for reading only: for the descriptors that wake the waiting thread.
static inline int csystem_epoll_add_wake(int queue, int descriptor, uint64_t identifier) {
    struct epoll_event event = { .events = EPOLLIN, .data = { .u64 = identifier } };
    return epoll_ctl(queue, EPOLL_CTL_ADD, descriptor, &event);
}

static inline int csystem_epoll_remove(int queue, int descriptor) {
    struct epoll_event unused = { 0 };
    return epoll_ctl(queue, EPOLL_CTL_DEL, descriptor, &unused);
}

/// Waits for so many milliseconds, or without limit (-1); `events` must have room for CSYSTEM_EVENT_LIMIT. An
/// interruption is no event; negative: broken.
static inline int csystem_epoll_wait(int queue, csystem_event *events, int milliseconds) {
    struct epoll_event raw[CSYSTEM_EVENT_LIMIT];
    int count = epoll_wait(queue, raw, CSYSTEM_EVENT_LIMIT, milliseconds);
    if (count < 0 && errno == EINTR) {
        return 0;
    }
    for (int index = 0; index < count; index += 1) {
        events[index].identifier = raw[index].data.u64;
        events[index].flags = raw[index].events;
    }
    return count;
}

static inline int csystem_eventfd_create(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static inline int csystem_timer_create(void) {
    return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
}

/// Makes the timer readable once, so many nanoseconds from now (less than a second).
static inline int csystem_timer_set(int timer, long nanoseconds) {
    struct itimerspec once = { .it_value = { .tv_nsec = nanoseconds } };
    return timerfd_settime(timer, 0, &once, NULL);
}

/// Named by its symbol: the header declares it only under _GNU_SOURCE, which an importing module cannot set.
extern int csystem_accept4(int descriptor, void *address, socklen_t *length, int flags) __asm__("accept4");

/// Accepts one connection, non-blocking and closed on exec.
static inline int csystem_accept(int descriptor, void *address, socklen_t *length) {
    return csystem_accept4(descriptor, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

#endif

#endif
