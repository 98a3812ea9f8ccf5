// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMPTransport
import Testing

struct LocalNamesTests {
    @Test("this machine's host name, with and without domain, and its interfaces' addresses")
    func names() throws {
        let names = LocalNames.current()
        let hostName = ProcessInfo.processInfo.hostName
        #expect(names.contains("127.0.0.1"))
        #expect(!names.contains(""))
        // Foundation may give the name with its domain where the kernel has it without.
        #expect(names.contains(String(hostName.prefix { $0 != "." })))
        // Each is an address that one can bind to, or the host's name.
        for name in names where name.contains(":") || name.allSatisfy({ $0.isNumber || $0 == "." }) {
            #expect(throws: Never.self) { try TCPListener.bind(host: name).close() }
        }
    }
}
