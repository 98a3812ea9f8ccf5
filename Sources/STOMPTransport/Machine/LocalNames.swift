// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What this machine is called.
package enum LocalNames {
    /// Its host name, also without the domain, and the addresses of its network interfaces in digits, as they are now.
    ///
    /// Asks the kernel only, no name server: it does not wait.
    package static func current() -> Set<String> {
        var names = System.interfaces().addresses
        if let hostName = System.hostName, !hostName.isEmpty {
            names.insert(hostName)
            names.insert(String(hostName.prefix { $0 != "." }))
        }
        return names
    }
}
