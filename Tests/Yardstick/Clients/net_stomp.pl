# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
#
# Net::Stomp, as its documentation shows: STOMP 1.0, no heart-beats, one write for each frame.
use strict;
use warnings;
use Net::Stomp;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($host, $port, $mode, $count, $size) = @ARGV;
die "usage: $0 HOST PORT recv|send|rtt|ack COUNT BODYSIZE\n"
    unless @ARGV == 5 && $mode =~ /^(recv|send|rtt|ack)$/;

my $body = 'x' x $size;
my $bytes = 0;
my $stomp = Net::Stomp->new({ hostname => $host, port => $port });
my $answer = $stomp->connect({ login => 'guest', passcode => 'guest' });
die "not connected\n" unless $answer && $answer->command eq 'CONNECTED';

sub send_with_receipt {
    my ($destination, $content) = @_;
    $stomp->send_with_receipt({
        destination      => $destination,
        body             => $content,
        'content-type'   => 'text/plain',
        'content-length' => length $content,
    }) or die "no receipt\n";
}

my ($user, $system) = times;
my $start = clock_gettime(CLOCK_MONOTONIC);
if ($mode eq 'recv' || $mode eq 'ack') {
    $stomp->subscribe({ destination => "/blast/$count/$size", id => 1, ack => $mode eq 'ack' ? 'client' : 'auto' });
    for (1 .. $count) {
        my $frame = $stomp->receive_frame or die "no frame\n";
        defined $frame->headers->{'message-id'} or die "a message without an id\n";
        $bytes += length $frame->body;
        $stomp->ack({ frame => $frame }) if $mode eq 'ack';
    }
} elsif ($mode eq 'send') {
    for (1 .. $count) {
        $stomp->send({
            destination      => '/sink',
            body             => $body,
            'content-type'   => 'text/plain',
            'content-length' => $size,
        });
    }
    $bytes = $count * $size;
} else {
    send_with_receipt('/sink', $body) for 1 .. $count;
    $bytes = $count * $size;
}
send_with_receipt('/stats', '') if $mode eq 'ack' || $mode eq 'send';

my $seconds = clock_gettime(CLOCK_MONOTONIC) - $start;
my ($user_end, $system_end) = times;
open my $status, '<', '/proc/self/status' or die "no status\n";
my ($peak) = map { /^VmHWM:\s+(\d+)/ ? $1 : () } <$status>;
printf '{"mode":"%s","count":%d,"bytes":%d,"seconds":%.6f,"cpu_user":%.6f,"cpu_sys":%.6f,"max_rss_kb":%d,'
    . '"version":"%s"}' . "\n",
    $mode, $count, $bytes, $seconds, $user_end - $user, $system_end - $system, $peak, $Net::Stomp::VERSION;
$stomp->disconnect;
