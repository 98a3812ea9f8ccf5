// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What a TCP connection to a server starts from, and how it notices that the other side is gone.
public struct STOMPSocketOptions: Sendable, Hashable {
    /// Probes by the system on a connection that is silent.
    ///
    /// Heart-beats do the same and more; this is for sessions without them. What is `nil` stays as the system has it.
    /// Systems count in whole seconds: fractions are rounded up.
    public struct KeepAlive: Sendable, Hashable {
        /// How long nothing must have come before the first probe.
        public var idle: Duration?
        /// The time between probes.
        public var interval: Duration?
        /// After how many probes without an answer the connection is dead.
        public var count: Int?

        /// Keep-alive with these values.
        public init(idle: Duration? = nil, interval: Duration? = nil, count: Int? = nil) {
            self.idle = idle
            self.interval = interval
            self.count = count
        }
    }

    /// A local address to connect from.
    public struct LocalAddress: Sendable, Hashable {
        /// An IPv4 or IPv6 address of this machine; `nil`: any.
        public var host: String?
        /// A port; 0: the system chooses one.
        public var port: Int

        /// This address and port; what is not given the system chooses.
        public init(host: String? = nil, port: Int = 0) {
            self.host = host
            self.port = port
        }
    }

    /// TCP keep-alive; `nil`: off.
    public var keepAlive: KeepAlive?
    /// Where to connect from; `nil`: the system chooses.
    public var localAddress: LocalAddress?

    /// No keep-alive, any local address.
    public init() {}
}
