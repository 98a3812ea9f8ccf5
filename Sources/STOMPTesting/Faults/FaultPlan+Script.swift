// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

extension FaultPlan {
    /// What happens to one connection; at first: nothing bad.
    public struct Script: Sendable, Hashable {
        /// What an attempt to connect meets.
        public enum Opening: Sendable, Hashable {
            /// The broker.
            case accepted
            /// An error, as if nobody listened.
            case refused
            /// Somebody who accepts, does not read, and says nothing.
            case silent
        }

        /// What the attempt to connect meets.
        public var opening = Opening.accepted
        /// What happens to the bytes of the client.
        public var toServer = Direction()
        /// What happens to the bytes of the broker.
        public var toClient = Direction()
        /// What happens to the frames of the broker.
        public var frames = Frames()

        /// A connection without faults.
        public init() {}

        /// A connection that ends when so many bytes have reached the client.
        public static func cut(afterBytesToClient count: Int) -> Script {
            var script = Script()
            script.toClient.cutAfter = count
            return script
        }

        /// A connection that ends when so many bytes have reached the broker.
        public static func cut(afterBytesToServer count: Int) -> Script {
            var script = Script()
            script.toServer.cutAfter = count
            return script
        }
    }

    /// What happens to the bytes of one direction; they always arrive in their order.
    ///
    /// Counts of bytes are those of the whole connection.
    public struct Direction: Sendable, Hashable {
        /// The connection ends after so many bytes.
        public var cutAfter: Int?
        /// After so many bytes nothing moves any more; the connection stays open.
        public var stallAfter: Int?
        /// How long each piece is on its way; the next one sets out after it.
        public var delay: Duration = .zero
        /// The most bytes in a piece; the sizes are drawn by lot.
        public var pieceLimit: Int?
        /// How many bytes go through in a second.
        public var bytesPerSecond: Int?
        /// After how many bytes the reader takes its ``pause``, once.
        public var pauseAfter: Int?
        /// How long nothing is read then.
        public var pause: Duration = .zero

        /// A direction without faults.
        public init() {}
    }

    /// What happens to the frames of the broker.
    ///
    /// RECEIPTs are counted from 0, and so are all its frames, of which CONNECTED is the first.
    public struct Frames: Sendable, Hashable {
        /// RECEIPTs that do not arrive.
        public var missingReceipts: Set<Int> = []
        /// RECEIPTs that arrive twice.
        public var duplicateReceipts: Set<Int> = []
        /// RECEIPTs before which an ERROR arrives that has the same `receipt-id`.
        public var refusedReceipts: Set<Int> = []
        /// An ERROR that names nobody arrives before this frame; the connection stays open.
        public var errorBefore: Int?

        /// All frames arrive as they are.
        public init() {}

        var hasFaults: Bool { self != Frames() }
    }
}
