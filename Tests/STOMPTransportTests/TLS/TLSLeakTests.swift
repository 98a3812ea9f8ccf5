// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMPCore
import TestSupport
import Testing

@testable import STOMPTransport

/// Counts what the C library has given out, in a process that does nothing else.
@Suite("TLS leaks nothing", .timeLimit(.minutes(10)))
struct TLSLeakTests {
    /// CI sets 10,000.
    private static var rounds: Int {
        ProcessInfo.processInfo.environment["STOMP_TLS_LEAK_ROUNDS"].flatMap(Int.init) ?? 300
    }

    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// From glibc's own report, which its module map leaves out; 0 with another allocator, such as a sanitizer's.
    private static var bytesInUse: Int {
        typealias Report = @convention(c) (Int32, OpaquePointer) -> Int32
        guard let symbol = dlsym(nil, "malloc_info") else { return 0 }
        var text: UnsafeMutablePointer<CChar>?
        var count = 0
        guard let stream = open_memstream(&text, &count) else { return 0 }
        let result = unsafeBitCast(symbol, to: Report.self)(0, OpaquePointer(stream))
        fclose(stream)
        defer { free(text) }
        guard result == 0, let text else { return 0 }
        // The sums of all heaps stand at the end.
        let report = String(cString: text).components(separatedBy: "</heap>").last ?? ""
        func size(_ line: String) -> Int {
            report.components(separatedBy: line).dropFirst().first?.components(separatedBy: "size=\"").dropFirst().first
                .flatMap { Int($0.prefix { $0 != "\"" }) } ?? 0
        }
        let free = size("<total type=\"fast\"") + size("<total type=\"rest\"")
        return size("<system type=\"current\"") - free + size("<total type=\"mmap\"")
    }

    /// By how much the memory in use grows over so many rounds, once it has been warmed up.
    private static func growth(_ rounds: Int, _ body: (Int) async throws -> Void) async throws -> Int {
        for round in 0..<100 { try await body(round) }
        let before = Self.bytesInUse
        for round in 0..<rounds { try await body(round) }
        return Self.bytesInUse - before
    }

    /// One connection: with a context of its own as a client has it, with a certificate of ours, and closed by turns by
    /// either side; each fifth is refused.
    private static func connect(_ round: Int, _ server: TLSContext) async throws {
        let (lowerClient, lowerServer) = InMemoryPipe.makePair()
        let context = try TLSContext.make(.client, .client { $0.identity = try .init("client") }, password: nil)
        async let accepted = try? TLSTransport.open(over: lowerServer, server)
        let host = round.isMultiple(of: 5) ? "elsewhere" : "localhost"
        guard let client = try? await TLSTransport.open(over: lowerClient, context, host: host) else {
            _ = await accepted
            return
        }
        guard let peer = await accepted else { throw Failure(description: "The server refused.") }
        try await client.writeAll([UInt8](repeating: 1, count: 50_000))
        _ = try await peer.readExactly(50_000)
        try await peer.writeAll([1, 2, 3])
        _ = try await client.readExactly(3)
        if round.isMultiple(of: 2) { client.close() } else { peer.close() }
    }

    @Test("Connections give all their memory back", .onOwnThread)
    func connections() async throws {
        await #expect(processExitsWith: .success) {
            let server = try TLSContext.make(.server, .server { $0.clientCertificates = .required }, password: nil)
            let rounds = Self.rounds
            let growth = try await Self.growth(rounds) { try await Self.connect($0, server) }
            // A few bytes each would already be more than this.
            guard growth > 16 * 1024 + rounds * 8 else { return }
            throw Failure(description: "\(rounds) connections: \(growth) bytes more than before.")
        }
    }

    @Test("The measurement sees a hundred bytes that are lost each time", .onOwnThread)
    func measurement() async {
        await #expect(processExitsWith: .success) {
            // A sanitizer's allocator counts nothing.
            guard Self.bytesInUse > 0 else { return }
            var lost: [UnsafeMutableRawPointer] = []
            lost.reserveCapacity(2_000)
            let growth = try await Self.growth(1_000) { _ in lost.append(.allocate(byteCount: 100, alignment: 8)) }
            guard growth < 1_000 * 100 else { return }
            throw Failure(description: "Only \(growth) bytes of \(lost.count * 100) were seen.")
        }
    }
}
