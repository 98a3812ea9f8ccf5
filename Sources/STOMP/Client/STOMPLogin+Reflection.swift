// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

extension STOMPLogin: CustomReflectable {
    /// The login, without the passcode: `dump` and loggers look in here.
    public var customMirror: Mirror {
        Mirror(self, children: ["login": self.login], displayStyle: .struct)
    }
}
