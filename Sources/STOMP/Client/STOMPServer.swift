// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Who we are to the broker.
public struct STOMPLogin: Sendable, Hashable, CustomStringConvertible {
    /// The `login` header.
    public var login: String
    /// The `passcode` header.
    ///
    /// It never appears in a description, an error or an event.
    public var passcode: String

    /// A login with its passcode.
    public init(_ login: String, passcode: String) {
        self.login = login
        self.passcode = passcode
    }

    /// The login, without the passcode.
    public var description: String {
        "\(self.login):(hidden)"
    }
}

/// A broker: where it is, and what CONNECT says to it.
public struct STOMPServer: Sendable, Hashable {
    /// Where it listens.
    public var endpoint: STOMPEndpoint
    /// The `login` and `passcode` headers, if any.
    public var login: STOMPLogin?
    /// The `host` header (STOMP 1.2, CONNECT).
    ///
    /// `/` is RabbitMQ's default virtual host, and the other brokers in use ignore the header; RabbitMQ refuses a host
    /// name that it does not know.
    public var virtualHost = "/"
    /// Further headers of CONNECT for this broker.
    ///
    /// They come before ``STOMPConfiguration/connectHeaders`` and win over headers of the same name there.
    public var headers: STOMPHeaders = [:]
    /// How TLS is spoken, where the endpoint is one for TLS.
    public var tls = STOMPTLSConfiguration()
    /// The local address and TCP keep-alive; they mean nothing for a Unix-domain socket.
    public var socketOptions = STOMPSocketOptions()
    /// An HTTP proxy on the way; it means nothing for a Unix-domain socket.
    public var proxy: STOMPHTTPProxy?
    /// What a WebSocket is opened with and carries.
    public var webSocketOptions = STOMPWebSocketOptions()

    /// The broker at this endpoint.
    public init(_ endpoint: STOMPEndpoint, login: STOMPLogin? = nil) {
        self.endpoint = endpoint
        self.login = login
    }
}
