// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// An HTTP proxy through which a server is reached, whatever is spoken with it (CONNECT; RFC 9110, section 9.3.6).
///
/// The proxy looks the server's name up.
public struct STOMPHTTPProxy: Sendable, Hashable, CustomStringConvertible {
    /// A name or an address.
    public var host: String
    /// Its port.
    public var port: Int
    /// User and password for the proxy, if it wants them (Basic; RFC 7617).
    public var login: STOMPLogin?

    /// The proxy at this host and port.
    public init(host: String, port: Int, login: STOMPLogin? = nil) {
        self.host = host
        self.port = port
        self.login = login
    }

    /// Host and port, such as `proxy.example:3128`.
    public var description: String {
        STOMPEndpoint.describe(self.host, self.port)
    }
}
