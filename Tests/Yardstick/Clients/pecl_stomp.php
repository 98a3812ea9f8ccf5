<?php
// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// PECL's stomp, an extension in C, as its documentation shows. A SEND with a receipt header waits for the receipt.

if ($argc !== 6 || !in_array($argv[3], ['recv', 'send', 'rtt', 'ack'], true)) {
    fwrite(STDERR, "usage: {$argv[0]} HOST PORT recv|send|rtt|ack COUNT BODYSIZE\n");
    exit(2);
}
[, $host, $port, $mode, $count, $size] = $argv;
$count = (int)$count;
$size = (int)$size;
$body = str_repeat('x', $size);
$bytes = 0;
$stomp = new Stomp("tcp://$host:$port", 'guest', 'guest', ['accept-version' => '1.2']);
$stomp->setReadTimeout(30);

function processorTime(): array
{
    $usage = getrusage();
    return [
        $usage['ru_utime.tv_sec'] + $usage['ru_utime.tv_usec'] / 1e6,
        $usage['ru_stime.tv_sec'] + $usage['ru_stime.tv_usec'] / 1e6,
    ];
}

function fail(string $why): never
{
    fwrite(STDERR, "$why\n");
    exit(1);
}

[$user, $system] = processorTime();
$start = hrtime(true);
if ($mode === 'recv' || $mode === 'ack') {
    $stomp->subscribe("/blast/$count/$size", ['id' => '1', 'ack' => $mode === 'ack' ? 'client-individual' : 'auto']);
    for ($i = 0; $i < $count; $i++) {
        $frame = $stomp->readFrame();
        if (!$frame || !isset($frame->headers['message-id'])) fail('no message');
        $bytes += strlen((string)$frame->body);
        if ($mode === 'ack') $stomp->ack($frame, ['id' => $frame->headers['ack'] ?? $frame->headers['message-id']]);
    }
} elseif ($mode === 'send') {
    for ($i = 0; $i < $count; $i++) $stomp->send('/sink', $body, ['content-type' => 'text/plain']);
    $bytes = $count * $size;
} else {
    for ($i = 0; $i < $count; $i++) {
        $stomp->send('/sink', $body, ['content-type' => 'text/plain', 'receipt' => "r$i"]) || fail('no receipt');
    }
    $bytes = $count * $size;
}
if ($mode === 'ack' || $mode === 'send') $stomp->send('/stats', '', ['receipt' => 'end']) || fail('no receipt');

$seconds = (hrtime(true) - $start) / 1e9;
[$userEnd, $systemEnd] = processorTime();
preg_match('/^VmHWM:\s+(\d+)/m', file_get_contents('/proc/self/status'), $peak);
printf(
    '{"mode":"%s","count":%d,"bytes":%d,"seconds":%.6f,"cpu_user":%.6f,"cpu_sys":%.6f,"max_rss_kb":%d,'
        . '"version":"%s"}' . "\n",
    $mode, $count, $bytes, $seconds, $userEnd - $user, $systemEnd - $system, $peak[1] ?? 0, phpversion('stomp'));
unset($stomp);
