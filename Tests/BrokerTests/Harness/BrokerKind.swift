// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Testing

/// The real brokers which the tests can start.
enum BrokerKind: String, CaseIterable, Codable, Sendable, CustomTestStringConvertible {
    case rabbitMQ
    case activeMQ
    case stompserver

    var name: String {
        switch self {
        case .rabbitMQ: "RabbitMQ"
        case .activeMQ: "ActiveMQ Classic"
        case .stompserver: "stompserver"
        }
    }

    var testDescription: String { self.name }

    /// The Debian package that holds it.
    var package: String {
        switch self {
        case .rabbitMQ: "rabbitmq-server"
        case .activeMQ: "activemq"
        case .stompserver: "stompserver"
        }
    }

    /// The start script in the folder `Scripts`.
    var script: String {
        switch self {
        case .rabbitMQ: "rabbitmq.sh"
        case .activeMQ: "activemq.sh"
        case .stompserver: "stompserver.sh"
        }
    }

    /// The ports that speak STOMP.
    ///
    /// The first is the usual one.
    var stompPorts: [String] {
        switch self {
        case .rabbitMQ, .stompserver: ["stomp"]
        case .activeMQ: ["stomp", "default-heart-beat", "small-limits"]
        }
    }

    /// The ports that speak STOMP over WebSocket, by all plugins that the broker has unless told otherwise.
    var webPorts: [String] { self == .rabbitMQ ? ["web"] : [] }

    /// The ports for the broker's own purposes, and those for TLS, where nobody listens unless certificates are given.
    var otherPorts: [String] {
        switch self {
        case .rabbitMQ: ["amqp", "distribution", "epmd", "tls", "web-tls"]
        case .activeMQ: ["tls", "mutual-tls"]
        case .stompserver: []
        }
    }

    /// How long a start may take.
    ///
    /// Each is far quicker on an idle machine (RabbitMQ: some five seconds).
    static let startLimit = Duration.seconds(300)
}

extension BrokerKind {
    /// The program that the start script becomes, or nil where a part of the broker is missing.
    var program: String? {
        switch self {
        case .rabbitMQ:
            // Debian's own rabbitmq-server on the PATH changes to the user "rabbitmq": take the one behind it.
            guard Self.onPath("epmd") != nil, Self.onPath("erl") != nil else { return nil }
            return Self.executable("/usr/lib/rabbitmq/bin/rabbitmq-server") ?? Self.onPath("rabbitmq-server")
        case .activeMQ:
            guard FileManager.default.fileExists(atPath: "/usr/share/activemq/lib/activemq-stomp.jar") else {
                return nil
            }
            return Self.onPath("java")
        case .stompserver:
            guard Self.onPath("stompserver") != nil else { return nil }
            return Self.onPath("ruby")
        }
    }

    /// The caller's PATH, and after it Debian's places for system programs.
    static let searchPath =
        (ProcessInfo.processInfo.environment["PATH"].map { $0 + ":" } ?? "")
        + "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    private static func onPath(_ name: String) -> String? {
        for folder in self.searchPath.split(separator: ":") {
            if let path = self.executable("\(folder)/\(name)") {
                return path
            }
        }
        return nil
    }

    private static func executable(_ path: String) -> String? {
        FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }
}
