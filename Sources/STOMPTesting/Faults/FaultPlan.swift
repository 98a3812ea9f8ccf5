// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What goes wrong on the way between a client and a broker: either drawn from a seed, or written down.
///
/// The same seed gives the same faults again. Give it to a ``FaultyServer``.
///
/// ```swift
/// var refused = FaultPlan.Script()
/// refused.opening = .refused
/// let plan = FaultPlan([refused, .cut(afterBytesToClient: 100)])  // and from the third connection on: nothing
/// ```
public struct FaultPlan: Sendable {
    /// A kind of fault that a seed may bring about.
    public enum Kind: Sendable, Hashable, CaseIterable {
        /// The connection is refused.
        case refusal
        /// The connection is accepted, and nothing is ever said.
        case silence
        /// The connection ends after so many bytes, also in the middle of a frame.
        case cut
        /// From some byte on nothing moves any more in one direction, or in both; the connection stays open.
        case stall
        /// Bytes are late.
        case delay
        /// Bytes come in small pieces.
        case split
        /// Only so many bytes in a second go through.
        case throttle
        /// For a while nobody reads what the client sends, or what the broker sends.
        case slowReader
        /// An ERROR that names nobody, after which the connection stays open.
        case strayError
        /// An ERROR that names a receipt, before the RECEIPT itself; what it refuses has taken effect all the same.
        case refusedReceipt
        /// A RECEIPT that does not come.
        case missingReceipt
        /// A RECEIPT that comes twice.
        case duplicateReceipt
    }

    private enum Source: Sendable {
        case seed(UInt64, kinds: Set<Kind>)
        case scripts([Script])
    }

    private let source: Source

    /// Faults of these kinds, drawn from a seed; about two connections of three get into trouble.
    public init(seed: UInt64, kinds: Set<Kind> = Set(Kind.allCases)) {
        self.source = .seed(seed, kinds: kinds)
    }

    /// These faults, for one connection after the other; later ones have none.
    public init(_ scripts: [Script]) {
        self.source = .scripts(scripts)
    }

    /// No faults.
    public static let none = FaultPlan([])

    /// What happens to a connection: the first attempt to connect is number 1.
    public func script(forAttempt number: Int) -> Script {
        switch self.source {
        case .seed(let seed, let kinds):
            var random = SplitMix64(seed: seed, index: number)
            return Script(drawnFrom: &random, kinds: kinds)
        case .scripts(let scripts):
            return scripts.indices.contains(number - 1) ? scripts[number - 1] : Script()
        }
    }
}
