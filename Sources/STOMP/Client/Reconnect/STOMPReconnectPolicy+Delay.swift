// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension STOMPReconnectPolicy {
    /// What a custom delay is decided by.
    public struct Situation: Sendable {
        /// How many delays there were since the last stable connection; 0 for the first.
        public var precedingDelays: Int
        /// How long ago the start or the loss was.
        public var elapsed: Duration
        /// Why there is no connection.
        public var reason: STOMPError
    }

    /// The delays between attempts, the first of them number 0.
    public struct Delay: Sendable {
        private enum Kind {
            case exponential(initial: Duration, multiplier: Double, maximum: Duration, jitter: Double)
            case growing(initial: Duration, increase: Double, maximum: Duration, jitter: Double)
            case custom(@Sendable (Situation) -> Duration?)
        }

        private let kind: Kind

        /// `initial · multiplier^n`, at most `maximum`, then shortened by chance.
        ///
        /// - Parameters:
        ///   - initial: the first delay.
        ///   - multiplier: by how much each is longer than the one before.
        ///   - maximum: no delay is longer.
        ///   - jitter: by which part a delay may be shorter, 0 to 1, so that a thousand clients do not come back at the
        ///     same moment.
        /// - Returns: delays of this form.
        public static func exponential(
            initial: Duration = .milliseconds(10),
            multiplier: Double = 2,
            maximum: Duration = .seconds(30),
            jitter: Double = 0.2
        ) -> Delay {
            Delay(kind: .exponential(initial: initial, multiplier: multiplier, maximum: maximum, jitter: jitter))
        }

        /// As stomp.py: `initial/(1+increase) · (1+increase)^(n+1)`, at most `maximum`, then lengthened by chance.
        ///
        /// - Parameters:
        ///   - initial: the first delay.
        ///   - increase: by which part each is longer than the one before.
        ///   - maximum: the longest delay before the jitter.
        ///   - jitter: by which part a delay may be longer; the result may be more than `maximum`.
        /// - Returns: delays of this form.
        public static func growing(
            initial: Duration = .milliseconds(100),
            increase: Double = 0.5,
            maximum: Duration = .seconds(60),
            jitter: Double = 0.1
        ) -> Delay {
            Delay(kind: .growing(initial: initial, increase: increase, maximum: maximum, jitter: jitter))
        }

        /// Always the same, at least 1 ms from the second on, except that each may be shorter by the part `jitter`.
        public static func fixed(_ delay: Duration, jitter: Double = 0) -> Delay {
            Delay(kind: .exponential(initial: delay, multiplier: 1, maximum: delay, jitter: jitter))
        }

        /// What the closure says; `nil`: the client gives up.
        public static func custom(_ delay: @escaping @Sendable (Situation) -> Duration?) -> Delay {
            Delay(kind: .custom(delay))
        }

        /// The next delay, and the same without jitter; `nil` to give up.
        package func next(
            _ situation: Situation,
            using random: inout any RandomNumberGenerator & Sendable
        ) -> (delay: Duration, base: Duration)? {
            let base: Double
            let factor: Double
            switch self.kind {
            case .exponential(let initial, let multiplier, let maximum, let jitter):
                base = Self.seconds(initial, multiplier, situation.precedingDelays, maximum)
                factor = 1 - Self.share(jitter, using: &random)
            case .growing(let initial, let increase, let maximum, let jitter):
                base = Self.seconds(initial, 1 + increase, situation.precedingDelays, maximum)
                factor = 1 + Self.share(jitter, using: &random)
            case .custom(let delay):
                guard let wish = delay(situation) else { return nil }
                // Deadlines are sums.
                let bounded = min(max(wish, .zero), .seconds(3_000_000_000))
                return (bounded, bounded)
            }
            return (Self.duration(base * factor), Self.duration(base))
        }

        private static func share(
            _ jitter: Double,
            using random: inout any RandomNumberGenerator & Sendable
        ) -> Double {
            // Nothing is drawn without need: the same seed gives the same schedule whatever else is configured.
            jitter > 0 ? min(jitter, 1) * Double.random(in: 0..<1, using: &random) : 0
        }

        private static func seconds(_ initial: Duration, _ factor: Double, _ count: Int, _ maximum: Duration) -> Double
        {
            var result = max(0, initial / .seconds(1))
            let maximum = max(0, maximum / .seconds(1))
            guard count > 0 else { return min(result, maximum) }
            // Without any delay an unlimited policy would keep a processor busy.
            result = max(result, 0.001)
            guard factor > 1 else { return max(min(result, maximum), 0.001) }
            for _ in 0..<count {
                guard result < maximum else { break }
                result *= factor
            }
            return max(min(result, maximum), 0.001)
        }

        /// In whole microseconds, so that schedules can be written down.
        private static func duration(_ seconds: Double) -> Duration {
            // Not a number is not more than zero either.
            guard seconds > 0 else { return .zero }
            return .microseconds(Int64((min(seconds, 3_000_000_000) * 1_000_000).rounded()))
        }
    }
}
