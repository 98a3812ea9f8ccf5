// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// What became of a fast, a slow and a dead consumer.
struct Crowd: Sendable {
    /// The end of the dead one's subscription.
    struct End: Sendable {
        let time: ContinuousClock.Instant
        let code: String
    }

    /// What one of the tasks has seen.
    enum Report: Sendable {
        case fast(Pace)
        case slow(count: Int, end: String)
        case events(deadEnd: End?, pauses: Int)

        static func slow(_ report: (count: Int, end: String)) -> Report {
            .slow(count: report.count, end: report.end)
        }
    }

    var measurement = Measurement(mode: BenchMode.consumers.rawValue)
    var memoryGrowth = 0
    private(set) var pace: Pace?
    private(set) var slowCount = 0
    private(set) var slowEnd = "none"
    private(set) var deadEnd: End?
    private(set) var pauses = 0

    mutating func take(_ report: Report) {
        switch report {
        case .fast(let pace): self.pace = pace
        case .slow(let count, let end): (self.slowCount, self.slowEnd) = (count, end)
        case .events(let deadEnd, let pauses): (self.deadEnd, self.pauses) = (deadEnd, pauses)
        }
    }

    /// From the fast one's first message on.
    func seconds(until time: ContinuousClock.Instant) -> Double {
        self.pace.map { (time - $0.start) / .seconds(1) } ?? 0
    }

    /// Takes some messages and rests, so that it comes to so many a second.
    static func slow(
        _ messages: STOMPSubscription,
        at rate: Double,
        count: Int,
        _ clock: any Clock<Duration>
    ) async -> (count: Int, end: String) {
        // Rests of some milliseconds, which a timer keeps well enough.
        let stint = max(1, Int(rate * 0.004))
        let rest = Duration.seconds(Double(stint) / max(rate, 1))
        var received = 0
        do {
            for try await _ in messages {
                received += 1
                if received == count { return (received, "finished") }
                if received % stint == 0 { try await clock.sleep(for: rest) }
            }
            return (received, "still receiving")
        } catch let error as STOMPError {
            return (received, error.code.description)
        } catch {
            // The fast one is done.
            return (received, "still receiving")
        }
    }

    /// Sees the end of a subscription, and how often reading was paused until then.
    static func watch(_ events: AsyncStream<STOMPEvent>, for id: String) async -> Report {
        var pauses = 0
        for await event in events {
            switch event {
            case .readingPaused:
                pauses += 1
            case .subscriptionFailed(id, let error):
                return .events(deadEnd: End(time: .now, code: error.code.description), pauses: pauses)
            default:
                break
            }
        }
        return .events(deadEnd: nil, pauses: pauses)
    }
}

/// When a consumer had how many messages.
struct Pace: Sendable {
    /// So many messages in so much time.
    struct Part: Sendable {
        var count = 0
        var seconds = 0.0

        var rate: Double { self.seconds > 0 ? Double(self.count) / self.seconds : 0 }
    }

    let start: ContinuousClock.Instant
    private var samples: [(time: ContinuousClock.Instant, count: Int)] = []

    private init(start: ContinuousClock.Instant) {
        self.start = start
    }

    /// Takes messages as fast as they come; the time begins with the first.
    ///
    /// Cancelled, it is content with fewer.
    static func taking(_ count: Int, from messages: STOMPSubscription) async throws -> Pace {
        let interval = max(1, min(256, count / 64))
        var pace: Pace?
        var received = 0
        var ids = Sequence()
        for try await message in messages {
            message.withRawMessageID { ids.check($0) }
            if pace == nil { pace = Pace(start: .now) }
            received += 1
            if received % interval == 0 || received == count { pace?.samples.append((.now, received)) }
            if received == count { break }
        }
        guard received == count || Task.isCancelled, let pace else {
            throw BenchError("a consumer's subscription ended after \(received) of \(count) messages")
        }
        return pace
    }

    /// How fast it was until then; nil: until its last message.
    func part(until time: ContinuousClock.Instant?) -> Part {
        let before = time.map { time in self.samples.prefix { $0.time <= time } } ?? self.samples[...]
        guard let last = before.last ?? self.samples.first else { return Part() }
        return Part(count: last.count, seconds: (last.time - self.start) / .seconds(1))
    }
}
