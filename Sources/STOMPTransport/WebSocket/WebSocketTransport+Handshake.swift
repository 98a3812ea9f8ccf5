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
            try await lower.writeWhole(request.bytes, during: Self.opening)
            var reader = HTTPHeadReader(limit: options.headLimit)
            let bytes = try await lower.readHead(&reader, during: Self.opening) {
                WebSocketRequest.objection(toStart: $0)
            }
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
                let bytes = try await lower.readHead(&reader, during: Self.opening)
                response = WebSocketResponse(answering: HTTPHead(bytes), path: path)
            } catch {
                guard error.kind == .handshake else { throw error }
                response = .tooLong
            }
            switch response {
            case .accepted(let bytes):
                try await lower.writeWhole(bytes, during: Self.opening)
            case .refused(let bytes, let reason):
                try await lower.writeWhole(bytes, during: Self.opening)
                throw Self.refusal("\(lower.peerDescription) was refused a WebSocket: \(reason)")
            }
            return WebSocketTransport(over: lower, role: .server, options: options, leftover: reader.rest)
        } catch {
            lower.close()
            throw error
        }
    }

    private static let opening = "opening a WebSocket with"

    private static func refusal(_ reason: String) -> TransportError {
        TransportError(kind: .handshake, message: reason)
    }
}
