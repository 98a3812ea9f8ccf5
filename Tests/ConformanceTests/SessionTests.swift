// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPTesting
import TestSupport
import Testing

@Suite("Sessions over every wire", .timeLimit(.minutes(3)))
struct SessionTests {
    @Test("Each version connects, and ends with DISCONNECT and its receipt", arguments: Wire.versions)
    func connects(wire: Wire, version: STOMPVersion) async throws {
        try await wire.withBroker { broker, server in
            try await withSTOMPClient(server, configuration: .patient([version])) { client in
                #expect(client.session?.version == version)
                #expect(await broker.connectionCount == 1)
            }
            let last = try #require(await broker.receivedFrames.last)
            #expect(last.command == .disconnect)
            #expect(last.headers[.receipt] != nil)
            try await broker.waitForDisconnection()
        }
    }

    @Test("A wrong password is refused, and is in no error", arguments: Wire.allCases)
    func wrongPassword(wire: Wire) async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.logins = ["guest": "right"]
        try await wire.withBroker(configuration) { _, server in
            var server = server
            server.login = STOMPLogin("guest", passcode: "hunter2")
            do {
                try await withSTOMPClient(server, configuration: .patient()) { _ in }
                Issue.record("it was let in")
            } catch let error as STOMPError {
                #expect(error.code == .connectRefused)
                #expect(!"\(error)".contains("hunter2"))
            }
            server.login = STOMPLogin("guest", passcode: "right")
            try await withSTOMPClient(server, configuration: .patient()) { client in
                #expect(client.session != nil)
            }
        }
    }

    @Test("An ERROR ends the session, and is told", arguments: Wire.allCases)
    func errorFrame(wire: Wire) async throws {
        try await wire.withBroker { broker, server in
            do {
                try await withSTOMPClient(server, configuration: .patient()) { client in
                    let messages = try await client.subscribe(to: "/queue/a", ack: .auto)
                    await broker.sendError("Out of cheese", body: "Redo from start")
                    for try await _ in messages {}
                }
                Issue.record("no error was thrown")
            } catch let error as STOMPError {
                #expect(error.frame?.headers[.message] == "Out of cheese")
                #expect(error.code == .serverError || error.code == .connectionLost)
            }
        }
    }

    @Test("A cut in the middle of a frame is a loss, and no message", arguments: Wire.allCases)
    func cut(wire: Wire) async throws {
        try await wire.withPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await peer.send("CONNECTED\nversion:1.2\n\n\0")
            let subscribe = try await peer.receiveFrame()
            let id = subscribe.split(separator: "\n").first { $0.hasPrefix("id:") }?.dropFirst(3) ?? ""
            let receipt = subscribe.split(separator: "\n").first { $0.hasPrefix("receipt:") }?.dropFirst(8) ?? ""
            let head = "MESSAGE\nsubscription:\(id)\ndestination:/queue/a\nmessage-id:"
            try await peer.send("RECEIPT\nreceipt-id:\(receipt)\n\n\0\(head)1\n\nwhole\0")
            try await peer.send("\(head)2\ncontent-length:100\n\na part of it")
            peer.hangUp()
        } client: { server in
            var texts: [String] = []
            let end = await code {
                try await withSTOMPClient(server, configuration: .patient()) { client in
                    let messages = try await client.subscribe(to: "/queue/a", ack: .auto)
                    for try await message in messages { texts.append(try message.text) }
                }
            }
            #expect(end == .connectionLost)
            #expect(texts == ["whole"])
        }
    }

    @Test("After a loss the client comes back, and its subscription goes on", arguments: Wire.allCases)
    func reconnect(wire: Wire) async throws {
        try await wire.withBroker { broker, server in
            var configuration = STOMPConfiguration.patient()
            configuration.reconnect = STOMPReconnectPolicy(.fixed(.zero))
            try await withSTOMPClient(server, configuration: configuration) { client in
                try await client.withSubscription(to: "/queue/a") { messages in
                    for round in 0..<3 {
                        try await broker.publish("\(round)", to: "/queue/a")
                        let message = try await messages.next()
                        #expect(try message.text == "\(round)")
                        try await message.ack(receipt: .required)
                        await broker.disconnectAll()
                        try await broker.waitForSubscription(to: "/queue/a")
                    }
                }
            }
            #expect(await broker.settled(in: "/queue/a") == ["0", "1", "2"].map { .acknowledged($0) })
        }
    }

    @Test("Heart-beats go both ways and keep the session, by a clock that is moved", arguments: Wire.allCases)
    func heartBeats(wire: Wire) async throws {
        let clock = ManualClock()
        try await wire.withPeer { peer in
            try await peer.accept()
            let connect = try await peer.receiveFrame()
            #expect(connect.contains("heart-beat:1000,1000\n"))
            try await peer.send("CONNECTED\nversion:1.2\nheart-beat:1000,1000\n\n\0")
            // Three times as long as either side would wait for the other.
            for round in 0..<10 {
                let send = try await peer.receiveFrame()
                #expect(send.contains("\n\n\(round)\0"))
                let receipt = send.split(separator: "\n").first { $0.hasPrefix("receipt:") }?.dropFirst(8) ?? ""
                try await peer.send("RECEIPT\nreceipt-id:\(receipt)\n\n\0\n")
                clock.advance(by: .seconds(1))
                try await peer.expect("\n")
                try await peer.send("\n")
            }
            let last = try await peer.receiveFrame()
            let receipt = last.split(separator: "\n").first { $0.hasPrefix("receipt:") }?.dropFirst(8) ?? ""
            #expect(last.hasPrefix("DISCONNECT\n"))
            try await peer.send("RECEIPT\nreceipt-id:\(receipt)\n\n\0")
        } client: { server in
            var configuration = STOMPConfiguration.patient()
            configuration.heartBeat = STOMPHeartBeat(outgoing: .seconds(1), incoming: .seconds(1))
            configuration.clock = clock
            try await withSTOMPClient(server, configuration: configuration) { client in
                for round in 0..<10 {
                    try await client.send("\(round)", to: "/queue/a", receipt: .required)
                }
            }
        }
    }
}
