// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Bounds on what a peer may send.
///
/// A frame beyond one ends the connection with an error of its own.
public struct STOMPLimits: Sendable, Hashable {
    /// The longest command or header line, in bytes.
    ///
    /// Error: ``STOMPError/Code/headerLineTooLong``.
    public var headerLineLimit = 64 * 1024
    /// The most headers in one frame.
    ///
    /// Error: ``STOMPError/Code/tooManyHeaders``.
    public var headerCountLimit = 1_000
    /// The most bytes before the body, at most 1 GiB.
    ///
    /// Error: ``STOMPError/Code/headersTooLarge``.
    public var headerBlockLimit = 512 * 1024
    /// The largest body, in bytes, at most 2 GiB.
    ///
    /// Error: ``STOMPError/Code/bodyTooLarge``.
    public var bodyLimit = 128 * 1024 * 1024

    /// The default limits.
    public init() {}
}
