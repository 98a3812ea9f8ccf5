// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A text that is compared by its octets.
///
/// `String`'s own equality is canonical equivalence, under which names that differ on the wire may be the same.
struct OctetString: Hashable, Sendable {
    let text: String

    init(_ text: some StringProtocol) {
        self.text = String(text)
    }

    static func == (lhs: OctetString, rhs: OctetString) -> Bool {
        lhs.text.utf8.elementsEqual(rhs.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        for byte in self.text.utf8 { hasher.combine(byte) }
    }
}
