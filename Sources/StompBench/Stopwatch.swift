// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Wall time and processor time since it was made.
struct Stopwatch {
    private let start = ContinuousClock.now
    private let usage = Self.processorTime()

    /// One JSON line; with the median and the 99th percentile of round trips, in microseconds.
    func report(mode: String, count: Int, _ result: Job.Result) -> String {
        let wall = Self.seconds(ContinuousClock.now - self.start)
        let now = Self.processorTime()
        let times = result.roundTrips.sorted()
        let percentiles =
            times.isEmpty
            ? ""
            : #","p50_us":\#(Self.microseconds(times[times.count / 2])),"#
                + #""p99_us":\#(Self.microseconds(times[times.count * 99 / 100]))"#
        return #"{"mode":"\#(mode)","count":\#(count),"bytes":\#(result.byteCount),"seconds":\#(wall),"#
            + #""cpu_user":\#(now.user - self.usage.user),"cpu_sys":\#(now.system - self.usage.system),"#
            + #""max_rss_kb":\#(Self.peakKilobytes())\#(percentiles)}"#
    }

    private static func seconds(_ duration: Duration) -> Double {
        duration / .seconds(1)
    }

    private static func microseconds(_ duration: Duration) -> Double {
        duration / .microseconds(1)
    }

    private static func processorTime() -> (user: Double, system: Double) {
        var usage = rusage()
        #if canImport(Glibc)
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
        getrusage(RUSAGE_SELF, &usage)
        #endif
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return (seconds(usage.ru_utime), seconds(usage.ru_stime))
    }

    /// VmHWM; not `ru_maxrss`, which includes what the parent had before exec.
    private static func peakKilobytes() -> Int {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            let text = line.withUnsafeBufferPointer { buffer in
                String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
            if text.hasPrefix("VmHWM:") { return Int(text.filter(\.isNumber)) ?? 0 }
        }
        return 0
    }

    static func fail(_ line: String) -> Never {
        var text = line + "\n"
        text.withUTF8 { bytes in _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
        exit(1)
    }
}
