// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
#include "peer.h"

#include <stdlib.h>
#include <string.h>

static void end_frame(Bytes *bytes) { append(bytes, "\0\n", 2); }

void refuse(Connection *connection, const char *why)
{
    Bytes *output = &connection->output;
    append_string(output, "ERROR\nmessage:");
    append_string(output, why);
    append_string(output, "\ncontent-length:0\n\n");
    end_frame(output);
    connection->counters.errors++;
    connection->leaving = true;
}

// ---- Counters in headers

static void append_counter(Bytes *bytes, const char *name, uint64_t number)
{
    append_string(bytes, name);
    append_number(bytes, number);
    append_string(bytes, "\n");
}

static void append_counters(Bytes *bytes, const Counters *counters)
{
    append_counter(bytes, "x-sends:", counters->sends);
    append_counter(bytes, "x-send-bytes:", counters->send_bytes);
    append_counter(bytes, "x-acks:", counters->acks);
    append_counter(bytes, "x-nacks:", counters->nacks);
    append_counter(bytes, "x-ack-sum:", counters->ack_sum);
    append_counter(bytes, "x-delivered:", counters->delivered);
    append_counter(bytes, "x-receipts:", counters->receipts);
    append_counter(bytes, "x-begins:", counters->begins);
    append_counter(bytes, "x-commits:", counters->commits);
    append_counter(bytes, "x-aborts:", counters->aborts);
}

static void confirm(Connection *connection, Text receipt, bool with_counters)
{
    Bytes *output = &connection->output;
    append(output, "RECEIPT\nreceipt-id:", 19);
    append_text(output, receipt);
    append(output, "\n", 1);
    if (with_counters) append_counters(output, &connection->counters);
    append(output, "\n", 1);
    end_frame(output);
    connection->counters.receipts++;
}

// ---- CONNECT

// 10, 11 or 12: the highest of those in the list that we know; 0 if there is none.
static int highest_version(Text list)
{
    int highest = 0;
    while (list.count) {
        const char *comma = memchr(list.at, ',', list.count);
        size_t count = comma ? (size_t)(comma - list.at) : list.count, skipped = comma ? count + 1 : count;
        if (count == 3 && list.at[0] == '1' && list.at[1] == '.' && list.at[2] >= '0' && list.at[2] <= '2') {
            int version = 10 + (list.at[2] - '0');
            if (version > highest) highest = version;
        }
        list.at += skipped;
        list.count -= skipped;
    }
    return highest;
}

static bool parse_beats(Text text, uint64_t *sent, uint64_t *wanted)
{
    const char *comma = text.count ? memchr(text.at, ',', text.count) : NULL;
    if (!comma) return false;
    size_t first = (size_t)(comma - text.at);
    return number_of((Text){text.at, first}, sent) && number_of((Text){comma + 1, text.count - first - 1}, wanted);
}

static void answer_connect(Connection *connection, const Request *request)
{
    Text versions = field(request, ACCEPT_VERSION), beats = field(request, HEART_BEAT);
    uint64_t sent = 0, wanted = 0;
    if (!equal(request->command, "CONNECT") && !equal(request->command, "STOMP")) {
        refuse(connection, "not connected");
        return;
    }
    int version = versions.at ? highest_version(versions) : 10;
    if (!version) {
        refuse(connection, "no version in common");
        return;
    }
    if (beats.at && !parse_beats(beats, &sent, &wanted)) {
        refuse(connection, "malformed heart-beat");
        return;
    }
    if (wanted && wanted < 100) wanted = 100;
    connection->version = version;

    Bytes *output = &connection->output;
    append_string(output, "CONNECTED\n");
    if (versions.at) {
        append_string(output, "version:1.");
        append_number(output, (uint64_t)(version - 10));
        append_string(output, "\nheart-beat:");
        append_number(output, wanted);
        append_string(output, ",");
        append_number(output, sent);
        append_string(output, "\n");
    }
    append_string(output, "session:");
    append_number(output, connection->number);
    append_string(output, "\nserver:yardstick-peer/1\n\n");
    end_frame(output);
    if (wanted) begin_beats(connection, (int64_t)wanted);
}

// ---- Subscriptions

static Subscription **find_subscription(Connection *connection, const Request *request)
{
    Text id = field(request, ID), destination = field(request, DESTINATION);
    Subscription **link = &connection->subscriptions;
    for (; *link; link = &(*link)->next)
        if (id.at ? equal(id, (*link)->id) : equal(destination, (*link)->destination)) break;
    return link;
}

static void subscribe(Connection *connection, const Request *request)
{
    Text id = field(request, ID);
    if (!field(request, DESTINATION).at) {
        refuse(connection, "SUBSCRIBE without destination");
        return;
    }
    if (id.count > NAME_LIMIT || field(request, DESTINATION).count > NAME_LIMIT) {
        refuse(connection, "id or destination too long");
        return;
    }
    if (connection->subscription_count == SUBSCRIPTION_LIMIT) {
        refuse(connection, "too many subscriptions");
        return;
    }
    Subscription **link = find_subscription(connection, request);
    if (*link && id.at) {
        refuse(connection, "subscribed already");
        return;
    }
    while (*link) link = &(*link)->next;
    Subscription *subscription = obtain(sizeof *subscription);
    subscription->id = copy_of(id);
    subscription->destination = copy_of(field(request, DESTINATION));
    subscription->acknowledges = starts_with(field(request, ACK), "client");
    *link = subscription;
    connection->subscription_count++;
    connection->counters.subscribes++;
    const char *wrong = begin_push(connection, subscription);
    if (wrong) refuse(connection, wrong);
}

static void drop(Connection *connection, Subscription **link)
{
    Subscription *subscription = *link;
    end_pushes(connection, subscription);
    *link = subscription->next;
    connection->subscription_count--;
    free(subscription->id);
    free(subscription->destination);
    free(subscription);
}

static void unsubscribe(Connection *connection, const Request *request)
{
    Subscription **link = find_subscription(connection, request);
    if (!*link) {
        refuse(connection, "UNSUBSCRIBE of nothing");
        return;
    }
    drop(connection, link);
    connection->counters.unsubscribes++;
}

void forget_subscriptions(Connection *connection)
{
    while (connection->subscriptions) drop(connection, &connection->subscriptions);
}

// ---- Messages

static void deliver(Connection *connection, const Subscription *subscription, const Request *request, bool counters)
{
    Bytes *output = &connection->output;
    Text type = field(request, CONTENT_TYPE).at ? field(request, CONTENT_TYPE) : text_of("text/plain");
    Text body = counters ? (Text){0} : request->body;
    append_message_head(output, connection, subscription, ++connection->counters.echoes, body.count, type, 0, 0);
    if (counters) append_counters(output, &connection->counters);
    append(output, "\n", 1);
    append_text(output, body);
    end_frame(output);
    connection->counters.delivered++;
    connection->counters.delivered_bytes += body.count;
}

static void take(Connection *connection, const Request *request)
{
    Text destination = field(request, DESTINATION), receipt = field(request, RECEIPT);
    if (!destination.at) {
        refuse(connection, "SEND without destination");
        return;
    }
    connection->counters.sends++;
    connection->counters.send_bytes += request->body.count;
    bool counters = equal(destination, "/stats");
    if (counters || starts_with(destination, "/echo")) {
        uint64_t byte_count = 0;
        for (const Subscription *each = connection->subscriptions; each; each = each->next) {
            if (!equal(destination, each->destination)) continue;
            byte_count += request->body.count;
            if (byte_count > ECHO_LIMIT) {
                refuse(connection, "too much to echo");
                return;
            }
            deliver(connection, each, request, counters);
        }
    }
    if (receipt.at) confirm(connection, receipt, counters);
}

// The number that an id ends in; 0 if it ends in none.
static uint64_t number_at_end(Text id)
{
    size_t start = id.count;
    uint64_t number = 0;
    while (start && id.count - start < 9 && id.at[start - 1] >= '0' && id.at[start - 1] <= '9') start--;
    return number_of((Text){id.at + start, id.count - start}, &number) ? number : 0;
}

static bool acknowledge(Connection *connection, const Request *request, uint64_t *counter)
{
    Text id = field(request, connection->version >= 12 ? ID : MESSAGE_ID);
    if (!id.at) {
        refuse(connection, "nothing is acknowledged");
        return false;
    }
    ++*counter;
    connection->counters.ack_sum += number_at_end(id);
    return true;
}

void answer(Connection *connection, const Request *request)
{
    Counters *counters = &connection->counters;
    Text command = request->command, receipt = field(request, RECEIPT);
    if (!connection->version) {
        answer_connect(connection, request);
        return;
    }
    if (equal(command, "SEND")) {
        take(connection, request);
        return;
    }
    if (equal(command, "ACK")) acknowledge(connection, request, &counters->acks);
    else if (equal(command, "NACK")) acknowledge(connection, request, &counters->nacks);
    else if (equal(command, "SUBSCRIBE")) subscribe(connection, request);
    else if (equal(command, "UNSUBSCRIBE")) unsubscribe(connection, request);
    else if (equal(command, "BEGIN")) counters->begins++;
    else if (equal(command, "COMMIT")) counters->commits++;
    else if (equal(command, "ABORT")) counters->aborts++;
    else if (equal(command, "DISCONNECT")) connection->leaving = true;
    else refuse(connection, "unknown command");
    if (receipt.at && !counters->errors) confirm(connection, receipt, false);
}
