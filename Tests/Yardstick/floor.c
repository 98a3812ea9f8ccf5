// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// Two yardsticks, by the drivers' contract: PROGRAM HOST PORT recv|send|rtt|ack COUNT BODYSIZE, one line of JSON.
//
// Built with -DFLOOR as `floor`, the least that any client can do:
//   recv  reads up to 1 MiB at a time and looks for each NUL with memchr; closes its side after SUBSCRIBE, so that the
//         end of the stream says that all has come. It looks at no header, and could not tell a NUL in a body from a
//         frame's end.
//   send  writes blocks of 256 KiB of frames that were built before; at the end one SEND with a receipt.
//   rtt   writes a frame that was built before with a new receipt id in it, and reads up to a NUL.
//   ack   reads as in recv, and for each NUL copies an ACK that was built before, with the number counted up, into a
//         buffer that is written after each read. It relies on the peer to number its messages one after the other.
// Otherwise as `parse`, plain STOMP work as one would write it in C for one purpose:
//   recv  finds command, headers and body of each frame where they lie, one memchr for each line and one for its colon;
//         reads content-length, and skips that much; looks at the length of the message id; checks that a NUL follows.
//         It decodes no escapes, checks no UTF-8, keeps no message, has no limit but its buffer's size, and only one
//         subscription.
//   send  formats each frame, and writes it alone.
//   rtt   the same with a receipt, and reads the RECEIPT as any frame.
//   ack   as recv, with an ACK for each message; they are written when all that has been read is used up.
// Neither has heart-beats, reconnects, threads or a timeout. Both are bound to nothing: a run that hangs must be ended.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifdef FLOOR
static const char program[] = "floor";
#else
static const char program[] = "parse";
#endif

enum { INPUT_SIZE = 1024 * 1024, BLOCK_SIZE = 256 * 1024, HEAD_SIZE = 256, DIGIT_COUNT = 10 };

static int peer;
static char input[INPUT_SIZE];
static size_t input_start, input_end;
#ifndef FLOOR
static volatile uint64_t noticed; // what is looked at and not used, so that it is looked at
#endif

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", program, what);
    exit(1);
}

static void *obtain(size_t count)
{
    void *memory = malloc(count);
    if (!memory) fail("no memory");
    return memory;
}

// ---- The socket

static void write_all(const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(peer, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("cannot write");
        bytes += written;
        count -= (size_t)written;
    }
}

static size_t read_some(char *bytes, size_t room)
{
    ssize_t count;
    do count = read(peer, bytes, room);
    while (count < 0 && errno == EINTR);
    if (count < 0) fail("cannot read");
    return (size_t)count;
}

static void connect_to(const char *host, const char *port)
{
    struct sockaddr_in address = {0};
    int yes = 1;
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("HOST must be an IPv4 address");
    peer = socket(AF_INET, SOCK_STREAM, 0);
    if (peer < 0 || connect(peer, (struct sockaddr *)&address, sizeof address)) fail("cannot connect");
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

// ---- Frames that come

typedef struct {
    const char *at;
    size_t count;
} Text;

typedef struct {
    Text command, message_id, ack, content_length, body;
} Frame;

static bool is(Text text, const char *name, size_t count)
{
    return text.count == count && !memcmp(text.at, name, count);
}

// Takes a frame that has come as a whole.
static bool take_frame(Frame *frame)
{
    while (input_start < input_end && input[input_start] == '\n') input_start++;
    const char *line = input + input_start, *end = input + input_end, *eol;
    memset(frame, 0, sizeof *frame);
    if (!(eol = memchr(line, '\n', (size_t)(end - line)))) return false;
    frame->command = (Text){line, (size_t)(eol - line)};
    for (line = eol + 1;; line = eol + 1) {
        if (!(eol = memchr(line, '\n', (size_t)(end - line)))) return false;
        if (eol == line) break;
        const char *colon = memchr(line, ':', (size_t)(eol - line));
        if (!colon) fail("a header without a colon");
        Text name = {line, (size_t)(colon - line)}, value = {colon + 1, (size_t)(eol - colon) - 1};
        if (is(name, "message-id", 10)) frame->message_id = value;
        else if (is(name, "ack", 3)) frame->ack = value;
        else if (is(name, "content-length", 14)) frame->content_length = value;
    }
    const char *body = eol + 1;
    size_t count = 0;
    if (frame->content_length.at) {
        for (size_t i = 0; i < frame->content_length.count; i++) {
            unsigned digit = (unsigned)(frame->content_length.at[i] - '0');
            if (digit > 9 || count > INPUT_SIZE) fail("a wrong content-length");
            count = count * 10 + digit;
        }
        if ((size_t)(end - body) <= count) return false;
        if (body[count]) fail("no NUL behind a body");
    } else {
        const char *nul = memchr(body, 0, (size_t)(end - body));
        if (!nul) return false;
        count = (size_t)(nul - body);
    }
    frame->body = (Text){body, count};
    input_start = (size_t)(body + count + 1 - input);
    return true;
}

static void read_more(void)
{
    if (input_start > 0) {
        memmove(input, input + input_start, input_end - input_start);
        input_end -= input_start;
        input_start = 0;
    }
    if (input_end == INPUT_SIZE) fail("a frame is too large");
    size_t count = read_some(input + input_end, INPUT_SIZE - input_end);
    if (!count) fail("the connection has ended");
    input_end += count;
}

static Frame wait_for(const char *command)
{
    Frame frame;
    while (!take_frame(&frame)) read_more();
    if (!is(frame.command, command, strlen(command))) fail("an unexpected frame");
    return frame;
}

// ---- Frames that go

static void subscribe(uint64_t count, size_t size, const char *mode)
{
    char frame[HEAD_SIZE];
    int length = snprintf(frame, sizeof frame, "SUBSCRIBE\nid:1\nack:%s\ndestination:/blast/%llu/%zu\n\n", mode,
                          (unsigned long long)count, size);
    write_all(frame, (size_t)length + 1);
}

static void send_with_receipt(void)
{
    static const char frame[] = "SEND\ndestination:/stats\ncontent-length:0\nreceipt:end\n\n";
    write_all(frame, sizeof frame);
    wait_for("RECEIPT");
}

static size_t format_head(char *head, size_t size)
{
    return (size_t)snprintf(head, HEAD_SIZE, "SEND\ndestination:/sink\ncontent-type:text/plain\ncontent-length:%zu\n\n",
                            size);
}

static size_t format_receipt_head(char *head, size_t size, uint64_t receipt)
{
    return (size_t)snprintf(head, HEAD_SIZE,
                            "SEND\ndestination:/sink\ncontent-type:text/plain\nreceipt:%010llu\ncontent-length:%zu\n\n",
                            (unsigned long long)receipt, size);
}

// ---- Times of round trips

static double *trips; // µs, one for each
static uint64_t trip_count;

static double microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_time(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

// ---- The modes

#ifdef FLOOR
static void increase(char *number)
{
    char *digit = number + DIGIT_COUNT - 1;
    while (*digit == '9') *digit-- = '0';
    ++*digit;
}

static void receive(uint64_t count, size_t size)
{
    uint64_t total = 0, nuls = 0;
    subscribe(count, size, "auto");
    shutdown(peer, SHUT_WR);
    for (size_t got; (got = read_some(input, INPUT_SIZE)) > 0; total += got) {
        const char *at = input, *end = input + got;
        while ((at = memchr(at, 0, (size_t)(end - at)))) {
            at++;
            nuls++;
        }
    }
    if (nuls != count || total < count * size) fail("too little has come");
}

static void send_all(uint64_t count, size_t size, const char *body)
{
    char head[HEAD_SIZE];
    size_t head_count = format_head(head, size), frame_count = head_count + size + 1;
    size_t in_block = frame_count < BLOCK_SIZE ? BLOCK_SIZE / frame_count : 1;
    char *block = obtain(in_block * frame_count);
    for (size_t i = 0; i < in_block; i++) {
        memcpy(block + i * frame_count, head, head_count);
        memcpy(block + i * frame_count + head_count, body, size + 1);
    }
    for (; count >= in_block; count -= in_block) write_all(block, in_block * frame_count);
    write_all(block, (size_t)count * frame_count);
    send_with_receipt();
    free(block);
}

static void round_trips(uint64_t count, size_t size, const char *body)
{
    char *frame = obtain(HEAD_SIZE + size + 1);
    size_t head_count = format_receipt_head(frame, size, 0);
    memcpy(frame + head_count, body, size + 1);
    char *number = strstr(frame, "receipt:") + 8;
    double last = microseconds();
    for (; count > 0; count--) {
        size_t got = 0, more;
        increase(number);
        write_all(frame, head_count + size + 1);
        do {
            more = read_some(input + got, INPUT_SIZE - got);
            if (!more) fail("the connection has ended");
            got += more;
        } while (!memchr(input, 0, got));
        double now = microseconds();
        trips[trip_count++] = now - last;
        last = now;
    }
    free(frame);
}

static void receive_and_ack(uint64_t count, size_t size)
{
    enum { MOST = 4096 };
    char frame[HEAD_SIZE];
    uint64_t acked = 0;
    Frame first;
    subscribe(count, size, "client-individual");
    while (!take_frame(&first)) read_more();
    if (!first.ack.at || first.ack.count < DIGIT_COUNT || first.ack.count > 128) fail("no ack header");
    size_t length = (size_t)snprintf(frame, sizeof frame, "ACK\nid:%.*s\n\n", (int)first.ack.count, first.ack.at) + 1;
    size_t number = length - 3 - DIGIT_COUNT;
    char *acks = obtain(MOST * length);
    memset(frame + number, '0', DIGIT_COUNT);
    size_t waiting = 0;
    // The first frame was only looked at for the form of its id; its NUL is counted as the others are.
    for (const char *at = first.body.at + first.body.count;;) {
        const char *end = input + input_end;
        while ((at = memchr(at, 0, (size_t)(end - at)))) {
            at++;
            increase(frame + number);
            memcpy(acks + waiting, frame, length);
            waiting += length;
            acked++;
            if (waiting == MOST * length) {
                write_all(acks, waiting);
                waiting = 0;
            }
        }
        write_all(acks, waiting);
        waiting = 0;
        if (acked >= count) break;
        input_end = read_some(input, INPUT_SIZE);
        if (!input_end) fail("the connection has ended");
        at = input;
    }
    input_start = input_end = 0;
    send_with_receipt();
    free(acks);
}
#else
static void receive(uint64_t count, size_t size)
{
    uint64_t total = 0;
    subscribe(count, size, "auto");
    for (uint64_t i = 0; i < count; i++) {
        Frame frame = wait_for("MESSAGE");
        if (!frame.message_id.at) fail("no message id");
        noticed += frame.message_id.count;
        total += frame.body.count;
    }
    if (total != count * size) fail("too little has come");
}

static void send_frame(const char *head, size_t head_count, const char *body, size_t body_count)
{
    struct iovec parts[2] = {{(char *)head, head_count}, {(char *)body, body_count}};
    ssize_t written;
    do written = writev(peer, parts, 2);
    while (written < 0 && errno == EINTR);
    if (written < 0) fail("cannot write");
    size_t count = (size_t)written;
    if (count < head_count) {
        write_all(head + count, head_count - count);
        count = head_count;
    }
    write_all(body + (count - head_count), head_count + body_count - count);
}

static void send_all(uint64_t count, size_t size, const char *body)
{
    char head[HEAD_SIZE];
    for (; count > 0; count--) send_frame(head, format_head(head, size), body, size + 1);
    send_with_receipt();
}

static void round_trips(uint64_t count, size_t size, const char *body)
{
    char head[HEAD_SIZE];
    double last = microseconds();
    for (uint64_t i = 1; i <= count; i++) {
        send_frame(head, format_receipt_head(head, size, i), body, size + 1);
        wait_for("RECEIPT");
        double now = microseconds();
        trips[trip_count++] = now - last;
        last = now;
    }
}

static void receive_and_ack(uint64_t count, size_t size)
{
    static char acks[BLOCK_SIZE];
    size_t waiting = 0;
    uint64_t total = 0;
    Frame frame;
    subscribe(count, size, "client-individual");
    for (uint64_t i = 0; i < count; i++) {
        while (!take_frame(&frame)) {
            write_all(acks, waiting);
            waiting = 0;
            read_more();
        }
        if (!frame.ack.at || frame.ack.count > HEAD_SIZE) fail("no ack header");
        total += frame.body.count;
        if (waiting + HEAD_SIZE + 16 > sizeof acks) {
            write_all(acks, waiting);
            waiting = 0;
        }
        memcpy(acks + waiting, "ACK\nid:", 7);
        memcpy(acks + waiting + 7, frame.ack.at, frame.ack.count);
        memcpy(acks + waiting + 7 + frame.ack.count, "\n\n", 3);
        waiting += 10 + frame.ack.count;
    }
    write_all(acks, waiting);
    if (total != count * size) fail("too little has come");
    send_with_receipt();
}
#endif

// ---- Measuring

typedef struct {
    double wall, user, system;
} Times;

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

static Times times(void)
{
    struct timespec now;
    struct rusage usage;
    clock_gettime(CLOCK_MONOTONIC, &now);
    getrusage(RUSAGE_SELF, &usage);
    return (Times){(double)now.tv_sec + (double)now.tv_nsec / 1e9, seconds(usage.ru_utime), seconds(usage.ru_stime)};
}

// Not what getrusage says, which includes what the process had before it became this program.
static long peak_kilobytes(void)
{
    char line[128];
    long peak = 0;
    FILE *status = fopen("/proc/self/status", "r");
    if (!status) return 0;
    while (fgets(line, sizeof line, status))
        if (!strncmp(line, "VmHWM:", 6)) peak = strtol(line + 6, NULL, 10);
    fclose(status);
    return peak;
}

static uint64_t argument(const char *text, uint64_t most)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno || *end || end == text || *text == '-' || number > most) fail("COUNT or BODYSIZE is no such number");
    return number;
}

int main(int argc, char **argv)
{
    static const char hello[] = "CONNECT\naccept-version:1.2\nhost:localhost\n\n";
    if (argc != 6) {
        fprintf(stderr, "usage: %s HOST PORT recv|send|rtt|ack COUNT BODYSIZE\n", program);
        return 2;
    }
    const char *mode = argv[3];
    uint64_t count = argument(argv[4], 999999999);
    size_t size = argument(argv[5], 128 * 1024 * 1024);
    char *body = obtain(size + 1);
    memset(body, 'x', size);
    body[size] = 0;

    signal(SIGPIPE, SIG_IGN);
    connect_to(argv[1], argv[2]);
    write_all(hello, sizeof hello);
    wait_for("CONNECTED");
    if (!strcmp(mode, "rtt")) trips = obtain((size_t)(count + 1) * sizeof *trips);
    Times start = times();
    if (!strcmp(mode, "recv")) receive(count, size);
    else if (!strcmp(mode, "send")) send_all(count, size, body);
    else if (!strcmp(mode, "rtt")) round_trips(count, size, body);
    else if (!strcmp(mode, "ack")) receive_and_ack(count, size);
    else fail("the mode is none of recv, send, rtt and ack");
    Times end = times();
    printf("{\"mode\":\"%s\",\"count\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"cpu_user\":%.6f,\"cpu_sys\":%.6f,"
           "\"max_rss_kb\":%ld",
           mode, (unsigned long long)count, (unsigned long long)(count * size), end.wall - start.wall,
           end.user - start.user, end.system - start.system, peak_kilobytes());
    if (trip_count > 0) {
        qsort(trips, trip_count, sizeof *trips, by_time);
        printf(",\"p50_us\":%.2f,\"p99_us\":%.2f", trips[trip_count / 2], trips[trip_count * 99 / 100]);
    }
    printf("}\n");
    close(peer);
    free(trips);
    free(body);
    return 0;
}
