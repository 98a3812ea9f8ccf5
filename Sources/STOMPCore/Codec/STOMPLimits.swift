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

// MARK: - Errors

extension STOMPLimits {
    /// - Throws: ``STOMPError/Code/headerLineTooLong`` or ``STOMPError/Code/headersTooLarge``.
    func checkHeaders(lineByteCount: Int, blockByteCount: Int) throws(STOMPError) {
        if lineByteCount > self.headerLineLimit {
            throw STOMPError(
                .headerLineTooLong,
                "A received header line is longer than the limit of \(self.headerLineLimit) bytes."
            )
        }
        if blockByteCount > self.headerBlockLimit {
            throw STOMPError(
                .headersTooLarge,
                "The headers of a received frame are larger than the limit of \(self.headerBlockLimit) bytes."
            )
        }
    }

    var tooManyHeaders: STOMPError {
        STOMPError(
            .tooManyHeaders,
            "A received frame has more headers than the limit of \(self.headerCountLimit)."
        )
    }

    var bodyTooLarge: STOMPError {
        STOMPError(.bodyTooLarge, "A received body is larger than the limit of \(self.bodyLimit) bytes.")
    }
}

extension STOMPLimits {
    /// Offsets in a chunk are 32 bits wide: room for 1 GiB of headers, 2 GiB of body and the growth.
    var fittingChunks: STOMPLimits {
        var limits = self
        limits.headerBlockLimit = min(limits.headerBlockLimit, 1 << 30)
        limits.bodyLimit = min(limits.bodyLimit, 1 << 31)
        return limits
    }
}
