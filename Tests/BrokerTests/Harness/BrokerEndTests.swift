// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import TestSupport
import Testing

/// What is left of a broker when it, or the test process, has ended: nothing.
@Suite("The end of a broker", .realBrokers)
struct BrokerEndTests {
    // Without RabbitMQ, which is slow to start and has a harder test of its own below.
    @Test(
        "A stopped broker leaves neither process nor folder",
        arguments: BrokerKind.available.filter { $0 != .rabbitMQ }
    )
    func stop(kind: BrokerKind) async throws {
        let broker = try await BrokerProcess.start(kind)
        #expect(try await onOwnThread { broker.stop() })
        try await self.expectNothingLeft(processID: broker.processID, folder: broker.folder)
    }

    @Test("A killed broker's helpers and folder go when it is stopped", .realBroker(.rabbitMQ))
    func stopAfterKill() async throws {
        let broker = try await BrokerProcess.start(.rabbitMQ)
        kill(broker.processID, SIGKILL)
        #expect(try await onOwnThread { broker.stop() })
        try await self.expectNothingLeft(processID: broker.processID, folder: broker.folder)
    }

    @Test("A broker that does not start is a clear error with its log", .realBroker(.stompserver))
    func failedStart() async throws {
        // The start script becomes this program, which prints its arguments and ends.
        let error = await #expect(throws: BrokerProcess.StartFailure.self) {
            _ = try await BrokerProcess.start(.stompserver, program: "/bin/echo")
        }
        let text = try #require(error?.description)
        #expect(text.contains("stompserver did not start: its process "))
        #expect(text.contains("stompserver.rb"))
    }

    @Test("A killed test process leaves no broker behind", .onOwnThread, arguments: BrokerKind.available)
    func killedOwner(kind: BrokerKind) async throws {
        // The body runs in another process of the test program, which is killed with its broker running.
        let result = try await #require(
            processExitsWith: .signal(SIGKILL),
            observing: [\.standardOutputContent]
        ) { [kind] in
            let broker = try await BrokerProcess.start(kind)
            FileHandle.standardOutput.write(Data("broker \(broker.processID) \(broker.folder)\n".utf8))
            kill(getpid(), SIGKILL)
        }
        let output = String(decoding: result.standardOutputContent, as: UTF8.self)
        let line = try #require(output.split(separator: "\n").first { $0.hasPrefix("broker ") })
        let words = line.split(separator: " ")
        let processID = try #require(Int32(words[1]))
        try await self.expectNothingLeft(processID: processID, folder: String(words[2]))
    }

    private func expectNothingLeft(processID: Int32, folder: String) async throws {
        let isGone = try await onOwnThread {
            poll(for: .seconds(120)) {
                let left = kill(processID, 0) == 0 || FileManager.default.fileExists(atPath: folder)
                return left ? nil : true
            }
        }
        #expect(isGone == true)
        // The folder goes last: by now no helper (epmd, Erlang's ports) may bear the broker's mark.
        let mark = Data("STOMP_BROKER_MARK=\(folder)\0".utf8)
        let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int32($0) != nil }
        let left = processes.filter { id in
            FileManager.default.contents(atPath: "/proc/\(id)/environ")?.range(of: mark) != nil
        }
        #expect(left.isEmpty)
    }
}
