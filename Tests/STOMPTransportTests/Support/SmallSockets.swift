// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Testing

@testable import STOMPTransport

/// TCP connections whose kernel buffers take a few kilobytes, so that writers wait all the time.
enum SmallSockets {
    static func makePair() throws -> (client: Socket, server: Socket) {
        let loopback = try #require(try HostAndPort(host: "127.0.0.1", port: 0, allowedPorts: 0...0).literalAddress())
        let listening = try System.makeSocket(for: loopback)
        defer { System.close(listening) }
        // An accepted socket has its listener's sizes.
        Self.shrink(listening)
        try System.listen(listening, at: loopback)
        let address = try #require(System.localAddress(listening))
        let number = try System.makeSocket(for: address)
        Self.shrink(number)
        try System.beginConnect(number, to: address)
        // By loopback a connection is there at once, or as soon as the kernel finds the time.
        var connection = try System.accept(listening)
        while connection == nil { connection = try System.accept(listening) }
        let (accepted, _) = try #require(connection)
        return (
            Socket(try PolledDescriptor(adopting: number), peerDescription: "server"),
            Socket(try PolledDescriptor(adopting: accepted), peerDescription: "client")
        )
    }

    private static func shrink(_ number: Int32) {
        var size: Int32 = 4_096
        setsockopt(number, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        setsockopt(number, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
}

extension ByteTransport {
    /// Writes `count` bytes that count up, and waits for room whenever there is none.
    func writeSeries(_ count: Int, from first: UInt8) async throws {
        let block = (0..<1_024).map { UInt8(truncatingIfNeeded: $0) &+ first }
        var done = 0
        while done < count {
            try Task.checkCancellation()
            let start = done % 256
            let taken = try self.writeOnce(block[start..<start + min(count - done, 700)])
            done += taken
            if taken == 0 { await self.waitUntilWritable() }
        }
    }

    /// Reads `count` bytes and says whether they count up.
    func readSeries(_ count: Int, from first: UInt8) async throws -> Bool {
        var done = 0
        while done < count, let bytes = try await self.readSome(limit: 500) {
            for (index, byte) in bytes.enumerated() where byte != UInt8(truncatingIfNeeded: done + index) &+ first {
                return false
            }
            done += bytes.count
        }
        return done == count
    }
}
