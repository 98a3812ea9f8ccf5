// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMP
import STOMPCore
import STOMPTransport
import Testing

@testable import STOMPTesting

@Suite(.timeLimit(.minutes(10))) struct BrokerListeningTests {
    private func raw(_ broker: STOMPBroker) async throws -> any ByteTransport {
        try await TCPConnector(host: "127.0.0.1", port: try #require(broker.port)).connect()
    }

    private func write(_ text: String, to stream: any ByteTransport) async throws {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = try bytes.withUnsafeBytes { bytes in
                Result { () throws(TransportError) in try stream.write(bytes) }
            }.get()
            bytes = bytes.dropFirst(count)
            if count == 0 { await stream.waitUntilWritable() }
        }
    }

    private func readToEnd(_ stream: any ByteTransport) async throws -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1_000)
        while true {
            let outcome = try buffer.withUnsafeMutableBytes { space in
                Result { () throws(TransportError) in try stream.read(into: space) }
            }.get()
            switch outcome {
            case .bytes(let count): all += buffer[..<count]
            case .wouldBlock: await stream.waitUntilReadable()
            case .endOfStream: return String(decoding: all, as: UTF8.self)
            }
        }
    }

    @Test func `another path than the one that is served is not found`() async throws {
        try await withSTOMPBroker(listening: .webSocket(path: "/ws")) { broker in
            let port = try #require(broker.port)
            var configuration = STOMPConfiguration()
            configuration.connectTimeout = .seconds(120)
            configuration.reconnect = .never
            let final = configuration
            let error = await #expect(throws: STOMPError.self) {
                let server = STOMPServer(.webSocket("127.0.0.1", port: port, path: "/other?key=hunter2"))
                try await withSTOMPClient(server, configuration: final) { _ in }
            }
            #expect(error?.code == .connectFailed)
            #expect(error?.message.contains("ws://127.0.0.1:\(port)/other opens no WebSocket") == true)
            #expect(error?.message.contains("HTTP status 404 Not Found") == true)
            #expect(error?.message.contains("hunter2") == false)
        }
    }

    @Test func `a client that asks for no WebSocket is told so`() async throws {
        try await withSTOMPBroker(listening: .webSocket()) { broker in
            for (request, status) in [
                ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "426"), ("POST / HTTP/1.1\r\nHost: h\r\n\r\n", "400"),
                ("nonsense\r\n\r\n", "400"),
            ] {
                let client = try await self.raw(broker)
                try await self.write(request, to: client)
                #expect(try await self.readToEnd(client).hasPrefix("HTTP/1.1 \(status) "))
            }
        }
    }

    @Test func `a client that never finishes its handshake keeps nobody out, and has a minute`() async throws {
        let clock = ManualClock()
        var configuration = STOMPBroker.Configuration()
        configuration.clock = clock
        try await withSTOMPBroker(configuration, listening: .webSocket()) { broker in
            let slow = try await self.raw(broker)
            try await self.write("GET / HTTP/1.1\r\n", to: slow)
            try await clock.waitForSleepers(1)
            var patient = STOMPConfiguration()
            patient.connectTimeout = .seconds(120)
            patient.heartBeat = .none
            let server = STOMPServer(.webSocket("127.0.0.1", port: try #require(broker.port)))
            try await withSTOMPClient(server, configuration: patient) { client in
                try await client.send("hello", to: "/queue/a", receipt: .required)
            }
            #expect(await broker.connectionCount == 0)
            clock.advance(by: .seconds(60))
            #expect(try await self.readToEnd(slow) == "")
        }
    }

    @Test func `a Unix-domain socket that is taken is an error, and a path that is too long another`() async throws {
        let path = NSTemporaryDirectory() + "stomp-broker-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try await withSTOMPBroker(listening: .unixSocket(path)) { broker in
            #expect(broker.port == nil)
            let taken = #expect(throws: STOMPError.self) { _ = try STOMPBroker(listening: .unixSocket(path)) }
            #expect(taken?.code == .connectFailed)
            #expect(taken?.message.contains("unix:\(path)") == true)
            let long = #expect(throws: STOMPError.self) {
                _ = try STOMPBroker(listening: .unixSocket("/" + String(repeating: "x", count: 200)))
            }
            #expect(long?.code == .invalidArgument)
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
