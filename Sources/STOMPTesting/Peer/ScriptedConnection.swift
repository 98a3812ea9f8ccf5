// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport

extension ScriptedPeer {
    /// One connection of a client, seen from the peer's end.
    ///
    /// A script that does not call the receiving methods does not read: once the buffers on the way are full, the client
    /// cannot write any more.
    public final class Connection: Sendable {
        private let transport: any ByteTransport
        /// Read and not consumed.
        private let received = Locked<[UInt8]>([])

        init(_ transport: any ByteTransport) {
            self.transport = transport
        }

        /// Waits for the next frame and returns its bytes up to the NUL, which is included.
        ///
        /// EOLs before it are skipped. A `content-length` counts, so that a body may hold NULs.
        ///
        /// - Throws: ``Mismatch`` if the connection ends before.
        public func receiveFrame() async throws(Mismatch) -> String {
            let bytes = try await self.receive("a frame") { bytes in
                let start = bytes.firstIndex { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") } ?? bytes.endIndex
                return FrameEnd.find(in: bytes[start...]).map { start..<$0 }
            }
            return String(decoding: bytes, as: UTF8.self)
        }

        /// Waits for so many bytes, whatever they are.
        ///
        /// - Throws: ``Mismatch`` if the connection ends before.
        public func receiveBytes(count: Int) async throws(Mismatch) -> [UInt8] {
            try await self.receive("\(count) bytes") { $0.count >= count ? 0..<count : nil }
        }

        /// Waits for exactly these bytes, from the next one on.
        ///
        /// - Throws: ``Mismatch`` as soon as one byte differs, or if the connection ends before.
        public func expect(_ expected: String) async throws(Mismatch) {
            let wanted = Array(expected.utf8)
            let bytes = try await self.receive(Self.readable(wanted)) { bytes in
                if bytes.count >= wanted.count { return 0..<wanted.count }
                return wanted.starts(with: bytes) ? nil : 0..<bytes.count
            }
            guard bytes == wanted else {
                let rest = self.received.withLock { $0 }
                throw Mismatch(Self.readable(wanted), received: Self.readable(bytes + rest.prefix(200)))
            }
        }

        /// Waits until the client has ended the connection.
        ///
        /// - Throws: ``Mismatch`` if bytes other than EOLs come before.
        public func expectHangUp() async throws(Mismatch) {
            while try await self.readMore() {}
            let rest = self.received.withLock { $0 }
            guard rest.allSatisfy({ $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) else {
                throw Mismatch("the end of the connection", received: Self.readable(rest))
            }
        }

        /// Whether nothing has arrived that was not received yet.
        ///
        /// What the client is about to write is not seen: ask when its call has returned.
        public var hasReceivedNothing: Bool {
            self.received.withLock { $0.isEmpty } && self.transport.unreadByteCount == 0
        }

        /// Writes this text as it is.
        ///
        /// A frame needs its NUL: `"RECEIPT\nreceipt-id:1\n\n\u{0}"`. Waits while the client does not read.
        ///
        /// - Throws: ``Mismatch`` if the client has ended the connection.
        public func send(_ text: String) async throws(Mismatch) {
            try await self.send(Array(text.utf8))
        }

        /// Writes these bytes; waits while the client does not read.
        ///
        /// - Throws: ``Mismatch`` if the client has ended the connection.
        public func send(_ bytes: [UInt8]) async throws(Mismatch) {
            var written = 0
            while written < bytes.count {
                do throws(TransportError) {
                    let count = try self.write(bytes[written...])
                    written += count
                    if count > 0 { continue }
                } catch {
                    throw Mismatch("to send \(Self.readable(bytes))", received: error.message)
                }
                await self.transport.waitUntilWritable()
                guard !Task.isCancelled else { throw Self.cancelled("to send \(Self.readable(bytes))") }
            }
        }

        private func write(_ bytes: ArraySlice<UInt8>) throws(TransportError) -> Int {
            let outcome = bytes.withUnsafeBytes { all -> Result<Int, TransportError> in
                do throws(TransportError) {
                    return .success(try self.transport.write(all))
                } catch {
                    return .failure(error)
                }
            }
            return try outcome.get()
        }

        /// Ends the connection at once.
        public func hangUp() {
            self.transport.close()
        }

        // MARK: - Reading

        /// Reads until `range` finds something, and takes that and all before it.
        private func receive(
            _ what: String,
            _ range: ([UInt8]) -> Range<Int>?
        ) async throws(Mismatch) -> [UInt8] {
            while true {
                let found = self.received.withLock { received -> [UInt8]? in
                    guard let found = range(received) else { return nil }
                    defer { received.removeFirst(found.upperBound) }
                    return Array(received[found])
                }
                if let found { return found }
                guard try await self.readMore() else {
                    let rest = self.received.withLock { $0 }
                    throw Mismatch(what, received: Self.readable(rest) + " and the end of the connection")
                }
            }
        }

        /// Returns whether there was more.
        private func readMore() async throws(Mismatch) -> Bool {
            while !Task.isCancelled {
                var outcome = ReadOutcome.endOfStream
                let bytes = [UInt8](unsafeUninitializedCapacity: 16 * 1024) { buffer, count in
                    // A stream that failed has ended.
                    outcome = (try? self.transport.read(into: UnsafeMutableRawBufferPointer(buffer))) ?? .endOfStream
                    if case .bytes(let read) = outcome { count = read }
                }
                switch outcome {
                case .bytes:
                    self.received.withLock { $0 += bytes }
                    return true
                case .wouldBlock:
                    await self.transport.waitUntilReadable()
                case .endOfStream:
                    return false
                }
            }
            throw Self.cancelled("more bytes")
        }

        private static func cancelled(_ what: String) -> Mismatch {
            Mismatch(what, received: "nothing: the script was cancelled")
        }

        /// The bytes for people: one line, with what cannot be seen written as in Swift.
        private static func readable(_ bytes: [UInt8]) -> String {
            let text = String(decoding: bytes, as: UTF8.self).unicodeScalars
            return "\"" + text.map { $0.escaped(asASCII: false) }.joined() + "\""
        }
    }

    /// Where a frame ends; knows of the protocol no more than that.
    enum FrameEnd {
        /// - Returns: the offset after the NUL, or `nil` if the frame is not complete.
        static func find(in bytes: ArraySlice<UInt8>) -> Int? {
            var line = bytes.startIndex
            var length: Int?
            while let end = bytes[line...].firstIndex(of: UInt8(ascii: "\n")) {
                let text = String(decoding: bytes[line..<end], as: UTF8.self).filter { $0 != "\r" }
                line = end + 1
                if text.isEmpty { return Self.end(of: bytes[line...], length: length) }
                let name = "content-length:"
                if length == nil, text.hasPrefix(name) { length = Int(text.dropFirst(name.count)) }
            }
            return nil
        }

        private static func end(of body: ArraySlice<UInt8>, length: Int?) -> Int? {
            guard let length else { return body.firstIndex(of: 0).map { $0 + 1 } }
            return body.count > length ? body.startIndex + length + 1 : nil
        }
    }
}
