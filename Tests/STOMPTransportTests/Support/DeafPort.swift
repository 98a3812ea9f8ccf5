// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Testing

@testable import STOMPTransport

/// A port that nobody serves: bound, so that nobody else can take it.
struct DeafPort: ~Copyable {
    let port: Int
    private let descriptor: Int32

    /// Refuses, or with `isSilent` lets one connection in and leaves the others without an answer.
    init(isSilent: Bool = false) throws {
        let loopback = try #require(try HostAndPort(host: "127.0.0.1", port: 0, allowedPorts: 0...0).literalAddress())
        let descriptor = try System.makeSocket(for: loopback)
        let result = loopback.bytes.withUnsafeBytes { bytes in
            bind(descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        try #require(result == 0)
        if isSilent {
            try #require(listen(descriptor, 0) == 0)
        }
        self.port = try #require(System.localAddress(descriptor)).port
        self.descriptor = descriptor
    }

    deinit {
        System.close(self.descriptor)
    }
}
