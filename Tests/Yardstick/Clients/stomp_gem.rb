# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
#
# The stomp gem, with Stomp::Connection, which is documented beside Stomp::Client and needs no thread more. TCP_NODELAY
# is its default; no heart-beats are its default too.
require "stomp"
require "json"

if ARGV.length != 5 || !%w[recv send rtt ack].include?(ARGV[2])
  abort "usage: #{$PROGRAM_NAME} HOST PORT recv|send|rtt|ack COUNT BODYSIZE"
end
host, port, mode = ARGV[0], ARGV[1].to_i, ARGV[2]
count, size = ARGV[3].to_i, ARGV[4].to_i
body = "x" * size

connection = Stomp::Connection.new(
  hosts: [{ login: "guest", passcode: "guest", host: host, port: port }],
  reliable: false,
  connect_headers: { "accept-version" => "1.2", "host" => "localhost" }
)

def wait_for_receipt(connection)
  frame = connection.receive
  abort "#{frame.command} instead of RECEIPT" unless frame.command == "RECEIPT"
end

bytes = 0
usage = Process.times
start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
headers = { "content-type" => "text/plain" }
case mode
when "recv", "ack"
  connection.subscribe("/blast/#{count}/#{size}", { "ack" => mode == "ack" ? "client-individual" : "auto" }, "1")
  count.times do
    message = connection.receive
    abort "a message without an id" unless message.headers["message-id"]
    bytes += message.body.bytesize
    connection.ack(message.headers["ack"]) if mode == "ack"
  end
when "send"
  count.times { connection.publish("/sink", body, headers) }
  bytes = count * size
when "rtt"
  count.times do |number|
    connection.publish("/sink", body, headers.merge("receipt" => number.to_s))
    wait_for_receipt(connection)
  end
  bytes = count * size
end
if %w[ack send].include?(mode)
  connection.publish("/stats", "", { "receipt" => "end" })
  wait_for_receipt(connection)
end
seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
used = Process.times
puts JSON.generate(
  mode: mode, count: count, bytes: bytes, seconds: seconds.round(6),
  cpu_user: (used.utime - usage.utime).round(6), cpu_sys: (used.stime - usage.stime).round(6),
  max_rss_kb: File.read("/proc/self/status")[/^VmHWM:\s+(\d+)/, 1].to_i, version: Stomp::Version::STRING
)
$stdout.flush
connection.disconnect
