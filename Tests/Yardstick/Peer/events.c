// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// epoll on Linux; poll() elsewhere, and where PEER_USES_POLL is defined.
#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int timeout_of(int64_t limit) { return limit < 0 ? 0 : limit > 60000 ? 60000 : (int)limit; }

#if defined(__linux__) && !defined(PEER_USES_POLL)
#include <sys/epoll.h>

enum { EVENT_COUNT = 256 };
static int set = -1;

static void control(int operation, Connection *connection)
{
    struct epoll_event event = {0};
    event.events = (connection->reads ? (uint32_t)EPOLLIN : 0) | (connection->writes ? (uint32_t)EPOLLOUT : 0);
    event.data.ptr = connection;
    if (epoll_ctl(set, operation, connection->descriptor, &event)) give_up("epoll_ctl");
}

void events_begin(int listener)
{
    struct epoll_event event = {0};
    event.events = EPOLLIN;
    set = epoll_create1(EPOLL_CLOEXEC);
    if (set < 0) give_up("epoll_create1");
    if (epoll_ctl(set, EPOLL_CTL_ADD, listener, &event)) give_up("epoll_ctl");
}

void events_add(Connection *connection) { control(EPOLL_CTL_ADD, connection); }
void events_change(Connection *connection) { control(EPOLL_CTL_MOD, connection); }
void events_remove(Connection *connection) { control(EPOLL_CTL_DEL, connection); }

void events_wait(int64_t limit, void (*accept_all)(void), void (*serve)(Connection *connection, bool readable))
{
    struct epoll_event events[EVENT_COUNT];
    int count = epoll_wait(set, events, EVENT_COUNT, timeout_of(limit));
    if (count < 0 && errno != EINTR) give_up("epoll_wait");
    for (int i = 0; i < count; i++) {
        Connection *connection = events[i].data.ptr;
        if (!connection) accept_all();
        else serve(connection, (events[i].events & ~(uint32_t)EPOLLOUT) != 0);
    }
}

#else
#include <poll.h>

// The first is the listener's.
static struct pollfd *watched;
static Connection **owners;
static size_t count, capacity;

static short wishes(const Connection *connection)
{
    return (short)((connection->reads ? POLLIN : 0) | (connection->writes ? POLLOUT : 0));
}

static void add(int descriptor, short events, Connection *owner)
{
    if (count == capacity) {
        capacity = capacity ? capacity * 2 : 64;
        watched = realloc(watched, capacity * sizeof *watched);
        owners = realloc(owners, capacity * sizeof *owners);
        if (!watched || !owners) give_up("memory");
    }
    watched[count] = (struct pollfd){descriptor, events, 0};
    owners[count++] = owner;
}

void events_begin(int listener) { add(listener, POLLIN, NULL); }

void events_add(Connection *connection)
{
    connection->index = (int)count;
    add(connection->descriptor, wishes(connection), connection);
}

void events_change(Connection *connection) { watched[connection->index].events = wishes(connection); }

void events_remove(Connection *connection)
{
    size_t hole = (size_t)connection->index;
    count--;
    if (hole == count) return;
    watched[hole] = watched[count];
    owners[hole] = owners[count];
    owners[hole]->index = (int)hole;
}

void events_wait(int64_t limit, void (*accept_all)(void), void (*serve)(Connection *connection, bool readable))
{
    int ready = poll(watched, (nfds_t)count, timeout_of(limit));
    if (ready < 0 && errno != EINTR) give_up("poll");
    if (ready <= 0) return;
    // From the end, since the last one moves to the place of one that is removed.
    for (size_t i = count; i-- > 1;) {
        short happened = watched[i].revents;
        watched[i].revents = 0;
        if (happened) serve(owners[i], (happened & ~POLLOUT) != 0);
    }
    if (watched[0].revents) accept_all();
}
#endif
