// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import StompBench

@Suite("The arguments of stomp-bench")
struct ArgumentTests {
    @Test("The driver contract is five words, and anything else is a mode with options")
    func driver() throws {
        let job = try #require(try Job(driving: ["127.0.0.1", "61613", "ack", "1000", "16"]))
        #expect(job.host == "127.0.0.1" && job.port == 61_613 && job.mode == .ack)
        #expect(job.count == 1_000 && job.bodyByteCount == 16)
        #expect(try Job(driving: ["recv", "--count", "5", "--size", "1"]) == nil)
        #expect(throws: BenchError.self) { try Job(driving: ["localhost", "61613", "recv", "0", "16"]) }
        #expect(throws: BenchError.self) { try Job(driving: ["localhost", "port", "recv", "1", "16"]) }
    }

    @Test("Options are read, whatever their order")
    func options() throws {
        let words = "receipts --json --in-flight 512 --size 4K --rounds 3 --url ws://a/b --destination /queue/x"
        let arguments = try Arguments(words.split(separator: " ").map(String.init))
        #expect(arguments.mode == .receipts && arguments.isJSON && arguments.inFlight == 512)
        #expect(arguments.size == 4_096 && arguments.rounds == 3)
        #expect(arguments.url == "ws://a/b" && arguments.destination == "/queue/x")
    }

    @Test("Sizes have suffixes", arguments: [("0", 0), ("256", 256), ("4K", 4_096), ("16m", 16 << 20)])
    func sizes(text: String, bytes: Int) throws {
        #expect(try Arguments(["recv", "--size", text]).size == bytes)
    }

    @Test("Large bodies are fewer, unless a count is given")
    func counts() throws {
        #expect(try Arguments(["recv"]).count == 1_000_000)
        #expect(try Arguments(["recv", "--size", "16M"]).count == 256)
        #expect(try Arguments(["recv", "--size", "16M", "--count", "7"]).count == 7)
    }

    @Test(
        "What is wrong is said in one line that names it",
        arguments: [
            ("", "no mode"), ("fly", "\"fly\" is no mode"), ("recv --fly", "--fly is no option"),
            ("recv --count", "--count needs a value"), ("recv --count ten", "not \"ten\""),
            ("recv --count 0", "--count"), ("recv --size -1", "--size"), ("recv --size 99999M", "--size"),
            ("recv --size 9223372036854775807K", "--size"), ("recv --headers 2", "from 3 to 40"),
            ("recv --in-flight 2", "means nothing for recv"), ("recv /queue/x", "\"/queue/x\" is no option"),
            ("connections --connections 10001", "--connections"), ("connections --seconds x", "--seconds"),
            ("codec --url stomp://a", "--url means nothing"), ("chart", "needs files"),
            ("recv --json --compare a", "--compare"), ("subscriptions --count 3 --subscriptions 4", "--count 3"),
        ]
    )
    func mistakes(words: String, part: String) {
        let error = #expect(throws: BenchError.self) {
            try Arguments(words.split(separator: " ").map(String.init))
        }
        #expect(error?.description.contains(part) == true, "\(String(describing: error))")
        #expect(error?.description.contains("\n") == false)
    }

    @Test("The help names every mode and every option")
    func help() {
        for mode in BenchMode.allCases { #expect(Help.text.contains("  \(mode.rawValue) ")) }
        for option in Option.allCases { #expect(Help.text.contains("  \(option.rawValue) ")) }
        #expect(Help.text.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }
}
