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

    /// Tells the parent process.
    private static func report(_ growth: Int) {
        FileHandle.standardOutput.write(Data("growth \(growth)\n".utf8))
    }

    /// What the child process has reported.
    private static func growth(in output: [UInt8]?) throws -> Int {
        let lines = String(decoding: try #require(output), as: UTF8.self).split(separator: "\n")
        let line = try #require(lines.last { $0.hasPrefix("growth ") })
        return try #require(Int(line.dropFirst("growth ".count)))
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
        try await client.writeAll([UInt8](repeating: 1, count: 5_000))
        _ = try await peer.readExactly(5_000)
        try await peer.writeAll([1, 2, 3])
        _ = try await client.readExactly(3)
        if round.isMultiple(of: 2) { client.close() } else { peer.close() }
    }

    @Test("Connections give all their memory back", .onOwnThread)
    func connections() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let server = try TLSContext.make(.server, .server { $0.clientCertificates = .required }, password: nil)
            Self.report(try await Self.growth(Self.rounds) { try await Self.connect($0, server) })
        }
        let growth = try Self.growth(in: result?.standardOutputContent)
        // What threads keep in their caches varies by some 200 KiB; a session has 10 KiB at least.
        #expect(growth < 256 * 1024 + Self.rounds * 24, "after \(Self.rounds) connections")
    }

    @Test("The measurement sees a hundred bytes that are lost each time", .onOwnThread)
    func measurement() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            var lost: [UnsafeMutableRawPointer] = []
            lost.reserveCapacity(2_000)
            let growth = try await Self.growth(1_000) { _ in lost.append(.allocate(byteCount: 100, alignment: 8)) }
            // A sanitizer's allocator counts nothing.
            Self.report(Self.bytesInUse > 0 ? growth : .max)
        }
        #expect(try Self.growth(in: result?.standardOutputContent) >= 1_000 * 100)
    }
}
