// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Testing

@testable import STOMPTransport

struct UnixSocketTests {
    private func error(_ body: () async throws(TransportError) -> Void) async -> TransportError? {
        do throws(TransportError) {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    private func exists(_ path: String) -> Bool {
        System.identity(ofFile: path) != nil
    }

    /// A socket that was left behind without a listener.
    private func abandon(_ path: String) throws {
        let number = try System.makeSocket(family: System.unixFamily)
        try System.bindUnix(number, to: path)
        System.close(number)
    }

    @Test
    func `a path that is too long is refused before the system sees it`() async throws {
        let longest = "/" + String(repeating: "x", count: System.unixPathLimit - 1)
        for (path, reason) in [(longest + "x", "has \(System.unixPathLimit + 1)"), ("", "empty"), ("/a\0b", "NUL")] {
            let refused = await self.error { () throws(TransportError) in
                _ = try await UnixConnector(path: path).connect()
            }
            #expect(refused?.kind == .invalidAddress)
            #expect(refused?.errno == nil)
            #expect(refused?.message.contains(reason) == true, "\(String(describing: refused))")
            let unbound = await self.error { () throws(TransportError) in _ = try UnixListener.bind(path: path) }
            #expect(unbound?.kind == .invalidAddress)
        }
        // The longest one gets as far as the system, which has no such folder's file.
        let missing = await self.error { () throws(TransportError) in
            _ = try await UnixConnector(path: longest).connect()
        }
        #expect(missing?.errno == ENAMETOOLONG || missing?.errno == ENOENT || missing?.errno == ECONNREFUSED)
        // A hundred characters may be more bytes.
        #expect(throws: TransportError.self) { _ = try UnixSocketPath(String(repeating: "ü", count: 100)) }
    }

    @Test
    func `errors of connecting name the path`() async throws {
        let path = uniqueSocketPath()
        let missing = await self.error { () throws(TransportError) in _ = try await UnixConnector(path: path).connect()
        }
        #expect(missing?.kind == .refused)
        #expect(missing?.message == "Could not connect to unix:\(path): No such file or directory (connect).")

        try self.abandon(path)
        let refused = await self.error { () throws(TransportError) in _ = try await UnixConnector(path: path).connect()
        }
        #expect(refused?.kind == .refused)
        #expect(refused?.message == "Could not connect to unix:\(path): Connection refused (connect).")
        try FileManager.default.removeItem(atPath: path)
    }

    @Test
    func `a listener makes its file and removes it, once`() async throws {
        let path = uniqueSocketPath()
        let listener = try UnixListener.bind(path: path)
        #expect(self.exists(path))
        let client = try await UnixConnector(path: path).connect()
        let server = try await listener.accept()
        listener.close()
        #expect(!self.exists(path))
        listener.close()
        // What was accepted stays open.
        try await client.writeAll([1])
        #expect(try await server.readSome() == [1])
        let kind = await errorKind { () async throws(TransportError) in _ = try await listener.accept() }
        #expect(kind == .closed)
    }

    @Test
    func `a path with a listener is not taken over`() async throws {
        let path = uniqueSocketPath()
        let listener = try UnixListener.bind(path: path)
        let taken = await self.error { () throws(TransportError) in _ = try UnixListener.bind(path: path) }
        #expect(taken?.kind == .system)
        #expect(taken?.message == "Could not listen at unix:\(path): somebody listens there already.")
        #expect(self.exists(path))
        // The look whether somebody listens has connected and gone.
        let probe = try await listener.accept()
        #expect(try await probe.readSome() == nil)
        listener.close()
    }

    @Test
    func `a socket without a listener is replaced, another file is not`() async throws {
        let path = uniqueSocketPath()
        try self.abandon(path)
        let listener = try UnixListener.bind(path: path)
        _ = try await UnixConnector(path: path).connect()
        listener.close()

        try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
        let taken = await self.error { () throws(TransportError) in _ = try UnixListener.bind(path: path) }
        #expect(taken?.message == "Could not listen at unix:\(path): there is a file that is no socket.")
        #expect(FileManager.default.contents(atPath: path) == Data("precious".utf8))
        try FileManager.default.removeItem(atPath: path)
    }

    @Test
    func `a file that is somebody else's by now stays`() throws {
        let path = uniqueSocketPath()
        let old = try UnixListener.bind(path: path)
        // Its file was removed under it, and another one listens there now.
        try FileManager.default.removeItem(atPath: path)
        let new = try UnixListener.bind(path: path)
        old.close()
        #expect(self.exists(path))
        new.close()
        #expect(!self.exists(path))
    }

    @Test
    func `a folder that does not exist is named`() async {
        let path = "/nowhere-\(getpid())/socket"
        let error = await self.error { () throws(TransportError) in _ = try UnixListener.bind(path: path) }
        #expect(error?.message == "Could not listen at unix:\(path): No such file or directory (bind).")
    }

    @Test
    func `connecting when cancelled leaves nothing open`() async throws {
        let path = uniqueSocketPath()
        let listener = try UnixListener.bind(path: path)
        let attempt = Task { () async -> TransportError.Kind? in
            await errorKind { () async throws(TransportError) in
                while !Task.isCancelled { await Task.yield() }
                _ = try await UnixConnector(path: path).connect()
            }
        }
        attempt.cancel()
        #expect(await attempt.value == .closed)
        listener.close()
    }
}
