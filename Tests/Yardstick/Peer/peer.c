// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// A STOMP 1.0, 1.1 and 1.2 peer to measure clients against. It is no broker: it frames what it reads and writes, checks
// it, and does as little else as can be, so that what is measured is the client. The destination says what happens:
//
//   SUBSCRIBE /blast/COUNT/SIZE            COUNT MESSAGEs with bodies of SIZE bytes, as fast as the socket takes them.
//   SUBSCRIBE /blast/COUNT/SIZE/HEADERS    The same with HEADERS (3 to 40) headers in all: subscription, destination,
//                                          message-id, content-length from 4 on, content-type from 5 on, then others
//                                          whose values' lengths differ from each message to the next: 61 different
//                                          frames take turns (fewer where they would take more than 8 MiB). Without
//                                          HEADERS all are alike, and have the ten headers that RabbitMQ would write.
//   SUBSCRIBE /round/N/COUNT/SIZE          When the connection has N subscriptions to this destination, each gets one
//                                          MESSAGE in turn, COUNT times. /HEADERS may follow, too.
//   SEND /sink                             Counted and dropped, as everywhere else that is not named here.
//   SEND /echo...                          Comes back to the connection's own subscriptions to that destination.
//   SEND /stats                            The RECEIPT, if asked for, has the connection's counters in x-... headers;
//                                          so have MESSAGEs to the connection's subscriptions to /stats.
//
// Message ids end in a number of ten digits, which counts from 1 for each subscription; `ack` headers, for a client
// that acknowledges in 1.2, are equal to the message id, and come on top of the count of headers. Pushes of a
// connection run one after the other. Each receipt is answered; ACK, NACK, BEGIN, COMMIT and ABORT are counted, and the
// numbers at the end of acknowledged ids added up. Beats are sent as often as the client asks for, at most every
// 100 ms; that the client's own fail to come is not minded. When a connection ends its counters are printed, one line
// of JSON.
//
//   peer [-p PORT] [-t SECONDS] [-e]
//     -p  the port at 127.0.0.1; 0, which is the default, is any free one
//     -t  ends by itself after so many seconds; 3600 is the default
//     -e  message ids with colons, as ActiveMQ's have them; they come escaped
//
// The first line that it prints is "listening on 127.0.0.1 port N". Whoever starts it reads on, or lets it print into a
// file: it waits where it cannot print.
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

bool ids_have_escapes;

static int listener = -1;
static volatile sig_atomic_t is_stopped;

static void stop(int number)
{
    (void)number;
    is_stopped = 1;
}

void give_up(const char *what)
{
    fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void usage(void)
{
    fprintf(stderr, "usage: peer [-p PORT] [-t SECONDS] [-e]\n");
    exit(2);
}

static long option_number(const char *value, long largest)
{
    uint64_t number = 0;
    if (!number_of(text_of(value), &number) || number > (uint64_t)largest) usage();
    return (long)number;
}

// As many connections as the system lets us have.
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void listen_on(uint16_t port)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    int yes = 1;
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0) give_up("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address)) give_up("bind");
    if (listen(listener, 4096)) give_up("listen");
    if (fcntl(listener, F_SETFL, O_NONBLOCK)) give_up("fcntl");
    if (getsockname(listener, (struct sockaddr *)&address, &size)) give_up("getsockname");
    printf("listening on 127.0.0.1 port %u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
}

static void accept_all(void)
{
    for (;;) {
        int descriptor = accept(listener, NULL, NULL), yes = 1;
        if (descriptor < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            return;
        }
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (fcntl(descriptor, F_SETFL, O_NONBLOCK)) {
            close(descriptor);
            continue;
        }
        open_connection(descriptor);
    }
}

int main(int argc, char **argv)
{
    long port = 0, lifetime = 3600;
    int option;
    while ((option = getopt(argc, argv, "p:t:e")) != -1) {
        if (option == 'p') port = option_number(optarg, 65535);
        else if (option == 't') lifetime = option_number(optarg, 999999);
        else if (option == 'e') ids_have_escapes = true;
        else usage();
    }
    if (optind != argc) usage();

    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    raise_descriptor_limit();
    listen_on((uint16_t)port);
    events_begin(listener);

    int64_t end = milliseconds() + lifetime * 1000;
    while (!is_stopped) {
        int64_t now = milliseconds();
        if (now >= end) break;
        events_wait(until_beat(now, end - now), accept_all, serve);
        beat(milliseconds());
    }
    close_connections();
    close(listener);
    return 0;
}
