// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMPTransport

@testable import STOMPTesting

/// A client made of bytes: what a scripted peer does at the server's end works at this end as well.
typealias RawClient = ScriptedPeer.Connection

extension STOMPBroker {
    /// Connects in memory and says nothing.
    func connect() async throws -> RawClient {
        RawClient(try await self.inMemoryListener.connect())
    }

    /// Connects and opens a session.
    func session(_ version: String = "1.2", headers: String = "") async throws -> RawClient {
        let client = try await self.connect()
        try await client.send("CONNECT\naccept-version:\(version)\nhost:h\n\(headers)\n\0")
        let connected = try await client.receiveFrame()
        guard connected.hasPrefix("CONNECTED\n") else {
            throw ScriptedPeer.Mismatch("CONNECTED", received: connected)
        }
        return client
    }
}

extension RawClient {
    /// Sends a frame with a receipt and waits for that.
    func request(_ head: String, body: String = "") async throws {
        try await self.send("\(head)\nreceipt:r\n\n\(body)\0")
        try await self.expect("RECEIPT\nreceipt-id:r\n\n\0")
    }

    func subscribe(_ destination: String, id: String = "0", ack: String = "auto", headers: String = "") async throws {
        let more = headers.isEmpty ? "" : "\n\(headers)"
        try await self.request("SUBSCRIBE\nid:\(id)\ndestination:\(destination)\nack:\(ack)\(more)")
    }

    /// Receives a frame and returns these lines of it, the last of them the body.
    func receive() async throws -> ReceivedFrame {
        ReceivedFrame(try await self.receiveFrame())
    }
}

/// A frame taken apart by hand.
struct ReceivedFrame {
    let command: String
    private(set) var headers: [String: String] = [:]
    let body: String

    init(_ text: String) {
        let end = text.range(of: "\n\n") ?? text.startIndex..<text.endIndex
        let lines = text[..<end.lowerBound].split(separator: "\n")
        self.command = String(lines.first ?? "")
        self.body = String(text[end.upperBound...].dropLast())
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            self.headers[String(parts[0])] = String(parts[1])
        }
    }

    subscript(name: String) -> String? {
        self.headers[name]
    }
}
