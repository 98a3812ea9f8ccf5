// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// What to measure.
struct Job: Sendable {
    enum Mode: String, Sendable {
        case recv
        case send
        case rtt
        case ack
    }

    /// What was done.
    struct Result {
        /// Of bodies.
        var byteCount = 0
        /// How long each receipt took.
        var roundTrips: [Duration] = []
    }

    let host: String
    let port: Int
    let mode: Mode
    let count: Int
    let bodyByteCount: Int

    /// How many headers each received message is to have; nil: as the peer likes.
    private let headers: Int?

    init(host: String, port: Int, mode: Mode, count: Int, bodyByteCount: Int, headers: Int? = nil) {
        self.host = host
        self.port = port
        self.mode = mode
        self.count = count
        self.bodyByteCount = bodyByteCount
        self.headers = headers
    }

    /// The driver contract; nil if the words are none of it.
    init?(driving words: [String]) throws {
        guard words.count == 5, let mode = Mode(rawValue: words[2]) else { return nil }
        guard
            let port = Int(words[1]), let count = Int(words[3]), count > 0, let size = Int(words[4]), size >= 0
        else { throw BenchError("usage: stomp-bench HOST PORT recv|send|rtt|ack COUNT BODYSIZE") }
        self.init(host: words[0], port: port, mode: mode, count: count, bodyByteCount: size)
    }

    /// Does it, off the main thread as a service would.
    @concurrent
    func run(_ client: STOMPClient) async throws -> Result {
        switch self.mode {
        case .recv: try await self.receive(client, mode: .auto)
        case .ack: try await self.receiveAndAck(client)
        case .send: try await self.send(client)
        case .rtt: try await self.roundTrips(client)
        }
    }

    private var blast: STOMPDestination {
        let headers = self.headers.map { "/\($0)" } ?? ""
        return STOMPDestination("/blast/\(self.count)/\(self.bodyByteCount)\(headers)")
    }

    private var body: [UInt8] {
        [UInt8](repeating: UInt8(ascii: "x"), count: self.bodyByteCount)
    }

    private func receive(_ client: STOMPClient, mode: STOMPAckMode) async throws -> Result {
        let messages = try await client.subscribe(to: self.blast, ack: mode)
        var bytes = 0
        var received = 0
        var ids = Sequence()
        for try await message in messages {
            bytes += message.bodyByteCount
            message.withRawMessageID { ids.check($0) }
            received += 1
            if received == self.count { break }
        }
        return try self.checked(bytes, received: received, ids: ids)
    }

    private func receiveAndAck(_ client: STOMPClient) async throws -> Result {
        var options = STOMPSubscriptionOptions()
        // The load server has no prefetch and pushes all at once.
        options.hardLimit = .max
        let messages = try await client.subscribe(to: self.blast, options: options)
        var bytes = 0
        var received = 0
        var ids = Sequence()
        for try await message in messages {
            bytes += message.bodyByteCount
            message.withRawMessageID { ids.check($0) }
            try await message.ack()
            received += 1
            if received == self.count { break }
        }
        try await client.send([], to: "/stats", receipt: .required)
        return try self.checked(bytes, received: received, ids: ids)
    }

    private func send(_ client: STOMPClient) async throws -> Result {
        let body = self.body
        for _ in 0..<self.count {
            try await client.send(body, to: "/sink", contentType: .plainText)
        }
        try await client.send([], to: "/stats", receipt: .required)
        return Result(byteCount: self.count * self.bodyByteCount)
    }

    private func roundTrips(_ client: STOMPClient) async throws -> Result {
        let body = self.body
        var result = Result(byteCount: self.count * self.bodyByteCount)
        result.roundTrips.reserveCapacity(self.count)
        var last = ContinuousClock.now
        for _ in 0..<self.count {
            try await client.send(body, to: "/sink", contentType: .plainText, receipt: .required)
            let now = ContinuousClock.now
            result.roundTrips.append(now - last)
            last = now
        }
        return result
    }

    private func checked(_ bytes: Int, received: Int, ids: Sequence) throws -> Result {
        guard received == self.count, bytes == self.count * self.bodyByteCount, ids.isComplete(self.count) else {
            throw BenchError("received \(received) messages, \(bytes) bytes, ids out of order: \(ids.wrong)")
        }
        return Result(byteCount: bytes)
    }
}

/// Checks that the numbers at the end of the message ids count up by one.
struct Sequence {
    private(set) var wrong = 0
    private var last = 0
    private var checked = 0

    mutating func check(_ id: UnsafeRawBufferPointer?) {
        let digits = id?.suffix(9) ?? UnsafeRawBufferPointer(start: nil, count: 0)[...]
        let number = digits.reduce(0) { $0 &* 10 &+ Int($1 &- 48) }
        if number != self.last &+ 1 { self.wrong += 1 }
        self.last = number
        self.checked += 1
    }

    func isComplete(_ count: Int) -> Bool {
        self.wrong == 0 && self.checked == count
    }
}
