// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

extension WebSocketTransport {
    /// Opens a WebSocket over a stream that leads to its server.
    ///
    /// Sets no deadline: the caller cancels. Unless it succeeds, the stream is closed.
    ///
    /// - Parameters:
    ///   - lower: the stream.
    ///   - options: what to ask for, and what is carried then.
    ///   - name: what errors call the server: "ws://localhost:15674/ws".
    /// - Returns: the stream within the WebSocket.
    /// - Throws: `.handshake` with what the server answers instead; `.closed`; `.invalidAddress`.
    package static func connect(
        over lower: any ByteTransport,
        options: WebSocketOptions,
        name: String
    ) async throws(TransportError) -> WebSocketTransport {
        do throws(TransportError) {
            var random = options.random
            let request = WebSocketRequest(
                host: options.host,
                path: options.path,
                protocols: options.protocols,
                key: WebSocketKey(&random),
                fields: options.fields
            )
            try request.check()
            try await Self.write(request.bytes, to: lower)
            var reader = HTTPHeadReader(limit: options.headLimit)
            let bytes = try await Self.readHead(&reader, from: lower) { WebSocketRequest.objection(toStart: $0) }
            guard let head = HTTPHead(bytes) else { throw Self.refusal("its answer is not HTTP") }
            let subprotocol = try request.accept(head)
            return WebSocketTransport(
                over: lower,
                role: .client,
                options: options,
                subprotocol: subprotocol,
                leftover: reader.rest
            )
        } catch {
            lower.close()
            guard error.kind == .handshake else { throw error }
            throw TransportError(kind: .handshake, message: "\(name) opens no WebSocket: \(error.message).")
        }
    }

    /// Lets a client that has connected open a WebSocket.
    ///
    /// Sets no deadline: the caller cancels. Unless it succeeds, the client has its answer, and the stream is closed.
    ///
    /// - Parameters:
    ///   - lower: the stream.
    ///   - path: the path that is served; nil: any.
    ///   - options: what is carried then.
    /// - Returns: the stream within the WebSocket.
    /// - Throws: `.handshake` with what is wrong with the request; `.closed`.
    package static func accept(
        over lower: any ByteTransport,
        path: String?,
        options: WebSocketOptions
    ) async throws(TransportError) -> WebSocketTransport {
        do throws(TransportError) {
            var reader = HTTPHeadReader(limit: options.headLimit)
            let response: WebSocketResponse
            do throws(TransportError) {
                let bytes = try await Self.readHead(&reader, from: lower) { _ in nil }
                response = WebSocketResponse(answering: HTTPHead(bytes), path: path)
            } catch {
                guard error.kind == .handshake else { throw error }
                response = .tooLong
            }
            switch response {
            case .accepted(let bytes):
                try await Self.write(bytes, to: lower)
            case .refused(let bytes, let reason):
                try await Self.write(bytes, to: lower)
                throw Self.refusal("\(lower.peerDescription) was refused a WebSocket: \(reason)")
            }
            return WebSocketTransport(over: lower, role: .server, options: options, leftover: reader.rest)
        } catch {
            lower.close()
            throw error
        }
    }

    private static func refusal(_ reason: String) -> TransportError {
        TransportError(kind: .handshake, message: reason)
    }

    private static func checkCancellation(_ lower: any ByteTransport) throws(TransportError) {
        guard Task.isCancelled else { return }
        throw TransportError(kind: .closed, message: "Opening a WebSocket to \(lower.peerDescription) was cancelled.")
    }

    private static func write(_ bytes: [UInt8], to lower: any ByteTransport) async throws(TransportError) {
        var written = 0
        while written < bytes.count {
            let count = try bytes.withUnsafeBytes { all in
                Result { () throws(TransportError) in
                    try lower.write(UnsafeRawBufferPointer(rebasing: all[written...]))
                }
            }.get()
            written += count
            if count == 0 { await lower.waitUntilWritable() }
            try Self.checkCancellation(lower)
        }
    }

    private static func readHead(
        _ reader: inout HTTPHeadReader,
        from lower: any ByteTransport,
        objection: ([UInt8]) -> String?
    ) async throws(TransportError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 2_048)
        while true {
            let outcome = try buffer.withUnsafeMutableBytes { space in
                Result { () throws(TransportError) in try lower.read(into: space) }
            }.get()
            switch outcome {
            case .bytes(let count):
                let found = buffer.withUnsafeBytes { reader.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                if let reason = objection(reader.bytes) { throw Self.refusal(reason) }
                switch found {
                case .complete(let bytes): return bytes
                case .tooLong:
                    throw Self.refusal("its answer has more than the bytes that are allowed before a blank line")
                case .incomplete: await Task.yield()
                }
            case .wouldBlock:
                await lower.waitUntilReadable()
            case .endOfStream:
                throw Self.refusal("\(lower.peerDescription) closed the connection during the handshake")
            }
            try Self.checkCancellation(lower)
        }
    }
}
