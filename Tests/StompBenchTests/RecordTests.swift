// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import StompBench

@Suite("JSON lines of stomp-bench")
struct RecordTests {
    @Test("What is written is read again")
    func roundTrip() throws {
        var record = Record()
        record.append("text", "a \"quote\", a \\, a\nline, ü and \u{1}")
        record.append("whole", 1_000_000)
        record.append("part", 0.125)
        record.append("nothing", nil as Int?)
        record.append("flag", .flag(true))
        #expect(!record.line.contains("\n"))
        #expect(try RecordReader.record(in: record.line) == record)
        #expect(record.line.contains(#""whole":1000000,"part":0.125,"flag":true}"#))
    }

    @Test("What other writers make of JSON is read, too")
    func reading() throws {
        let record = try RecordReader.record(in: #" { "a" : -1.5e3 , "b":"\u00e9\ud83d\ude00\/","c":null,"d":false } "#)
        #expect(record.number("a") == -1_500 && record.text("b") == "é😀/")
        #expect(record["c"] == .null && record["d"] == .flag(false) && record["e"] == nil)
        #expect(try RecordReader.record(in: "{}").fields.isEmpty)
    }

    @Test(
        "A bad line is an error",
        arguments: [
            "", "[]", "{", #"{"a"}"#, #"{"a":}"#, #"{"a":1"#, #"{"a":1}}"#, #"{"a":[1]}"#, #"{"a":{}}"#, #"{"a":x}"#,
            #"{"a":"b}"#, #"{"a":"\x"}"#, #"{"a":"\u12"}"#, #"{"a":1,}"#, #"{"a":nan}"#,
        ]
    )
    func mistakes(line: String) {
        #expect(throws: BenchError.self) { try RecordReader.record(in: line) }
    }

    @Test("The error has the file and the line; blank lines count")
    func lineNumbers() {
        let error = #expect(throws: BenchError.self) {
            try Measurement.all(in: Self.line + "\n\n" + Self.line + "\n{\"mode\":\"x\"}\n", of: "runs.json")
        }
        #expect(error?.description == "runs.json:4: there is no \"seconds\"")
    }

    static let line = #"{"mode":"recv","count":100,"bytes":1600,"seconds":2,"cpu_user":1,"cpu_sys":0.5,"max_rss_kb":9}"#

    @Test("A measurement comes back from its line, with keys that only others know")
    func measurement() throws {
        var measurement = Measurement(mode: "receipts")
        (measurement.count, measurement.byteCount, measurement.seconds) = (10, 160, 0.5)
        (measurement.size, measurement.client, measurement.version, measurement.wire) = (16, "a", "1.0", "tls")
        (measurement.inFlight, measurement.subscriptions, measurement.connections) = (64, 8, 2)
        measurement.headers = 12
        measurement.percentiles = Percentiles(p50: 1, p90: 2, p99: 3, p999: 4, max: 5.5)
        measurement.extras = [Record.Field(key: "odd", value: .text("x"))]
        #expect(try Measurement(RecordReader.record(in: measurement.record.line)) == measurement)
        #expect(
            measurement.record.fields.prefix(7).map(\.key) == [
                "mode", "count", "bytes", "seconds", "cpu_user", "cpu_sys", "max_rss_kb",
            ]
        )
    }

    @Test("A driver's line has the contract's keys only, and its size follows from the bytes")
    func driver() throws {
        let measurement = try Measurement(RecordReader.record(in: Self.line))
        #expect(measurement.size == 16 && measurement.rate == 50)
        #expect(measurement.nanoseconds.user == 1e7)
    }

    @Test("Figures are set beside the last run of the same kind")
    func comparison() throws {
        var other = try Measurement(RecordReader.record(in: Self.line))
        other.wire = "tls"
        other.count = 1
        let faster = Self.line.replacing("\"seconds\":2", with: "\"seconds\":1")
        let comparison = try Comparison([Self.line, faster, other.record.line].joined(separator: "\n"), name: "old")
        var now = try Measurement(RecordReader.record(in: Self.line))
        (now.seconds, now.wire, now.client) = (0.5, "tcp", "swift-stomp")
        #expect(comparison.match(for: now)?.seconds == 1)
        let text = comparison.text(for: now)
        #expect(text.contains("messages/s") && text.contains("2.00"))
        now.inFlight = 1
        #expect(comparison.text(for: now) == "old has no run of the same kind")
    }
}
