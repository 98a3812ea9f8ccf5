// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Testing

@Suite("Broker harness", .realBrokers)
struct HarnessTests {
    @Test("Every STOMP port of a broker answers CONNECTED", arguments: BrokerKind.available)
    func connects(kind: BrokerKind) async throws {
        let broker = try await RealBroker.shared(kind)
        for name in kind.stompPorts {
            let port = try #require(broker.ports[name])
            let answer = try await onOwnThread { try rawConnect(port: port) }
            #expect(answer.hasPrefix("CONNECTED\n"), "\(name): \(broker.log())")
        }
        #expect(broker.port == broker.ports["stomp"])
        #expect(!broker.log().isEmpty)
    }

    @Test("A wrong password is refused", arguments: BrokerKind.available)
    func refuses(kind: BrokerKind) async throws {
        let broker = try await RealBroker.shared(kind)
        let answer = try await onOwnThread { try rawConnect(port: broker.port, passcode: "wrong") }
        #expect(answer.hasPrefix("ERROR\n"))
    }

    @Test("ActiveMQ knows the user with few rights", .realBroker(.activeMQ))
    func restrictedUser() async throws {
        let broker = try await RealBroker.shared(.activeMQ)
        let answer = try await onOwnThread { try rawConnect(port: broker.port, login: "app", passcode: "secret") }
        #expect(answer.hasPrefix("CONNECTED\n"))
    }

    @Test("Concurrent callers share one start", arguments: BrokerKind.available)
    func sharesOneStart(kind: BrokerKind) async throws {
        async let first = RealBroker.shared(kind)
        async let second = RealBroker.shared(kind)
        let ids = try await [first.processID, second.processID]
        #expect(ids[0] == ids[1])
    }

    @Test("The process id is the broker's own", arguments: BrokerKind.available)
    func processID(kind: BrokerKind) async throws {
        let broker = try await RealBroker.shared(kind)
        let command = try String(contentsOfFile: "/proc/\(broker.processID)/comm", encoding: .utf8)
        let expected = [BrokerKind.rabbitMQ: "beam.smp\n", .activeMQ: "java\n", .stompserver: "ruby\n"]
        #expect(command == expected[kind])
    }

    @Test("Destinations are unique, and the brokers take them", arguments: BrokerKind.available)
    func destinations(kind: BrokerKind) async throws {
        let broker = try await RealBroker.shared(kind)
        let destination = uniqueDestination(kind, "a label/with: signs")
        #expect(destination != uniqueDestination(kind, "a label/with: signs"))
        let reply = try await onOwnThread {
            let socket = try LoopbackSocket()
            try socket.connect(to: broker.port)
            try socket.write("CONNECT\nlogin:guest\npasscode:guest\n\n\0")
            _ = try socket.readFrame()
            try socket.write("SUBSCRIBE\nid:1\ndestination:\(destination)\n\n\0")
            try socket.write("SEND\ndestination:\(destination)\n\nhello\0")
            return try socket.readFrame()
        }
        #expect(reply.contains("MESSAGE\n"))
        #expect(reply.contains(destination))
        #expect(reply.hasSuffix("hello"))
    }

    @Test("Reserved ports differ, and nobody listens there")
    func ports() throws {
        let sockets = try (0..<20).map { _ in try LoopbackSocket() }
        let ports = try sockets.map { try $0.reserve() }
        #expect(Set(ports).count == ports.count)
        let probe = try LoopbackSocket()
        #expect(throws: LoopbackSocket.Failure.self) { try probe.connect(to: ports[0]) }
    }
}
