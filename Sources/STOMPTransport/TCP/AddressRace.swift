// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Attempts at several addresses, of which the first that succeeds counts.
///
/// When it is over, all attempts have ended, and what the others connected is discarded.
struct AddressRace<Winner: Sendable>: Sendable {
    /// What comes out of a race that is not cancelled.
    enum Outcome {
        case won(Winner)
        /// Why, for each address.
        case lost([SystemError])
    }

    private enum Step: Sendable {
        /// Nil: cancelled.
        case ended(Int, Result<Winner, SystemError>?)
        case delayIsOver(after: Int)
    }

    /// In the order to try them.
    let addresses: [SocketAddress]
    /// Returns after so long, or at once when the task is cancelled; nil: each waits until the one before has failed.
    let pause: (@Sendable (Duration) async -> Void)?
    /// Nil when it was cancelled, with nothing left open.
    let attempt: @Sendable (SocketAddress) async -> Result<Winner, SystemError>?
    let discard: @Sendable (Winner) -> Void

    /// Nil when cancelled.
    func run() async -> Outcome? {
        await withTaskGroup(of: Step.self) { group in
            var schedule = RaceSchedule(count: self.addresses.count)
            var failures = [SystemError?](repeating: nil, count: self.addresses.count)
            var winner: Winner?
            self.start(schedule.start(), schedule, &group)
            while let step = await group.next() {
                let next: Int?
                switch step {
                case .ended(let index, .failure(let error)):
                    failures[index] = error
                    next = schedule.fail()
                case .ended(_, .success(let connected)):
                    // Two may succeed at the same moment.
                    if winner == nil { winner = connected } else { self.discard(connected) }
                    next = nil
                case .ended(_, nil):
                    next = nil
                case .delayIsOver(let index):
                    next = schedule.delayIsOver(after: index)
                }
                if winner != nil || schedule.isLost {
                    group.cancelAll()
                } else if !Task.isCancelled {
                    self.start(next, schedule, &group)
                }
            }
            guard !Task.isCancelled else {
                if let winner { self.discard(winner) }
                return nil
            }
            return winner.map { .won($0) } ?? .lost(failures.compactMap(\.self))
        }
    }

    private func start(_ index: Int?, _ schedule: RaceSchedule, _ group: inout TaskGroup<Step>) {
        guard let index else { return }
        let address = self.addresses[index]
        // Its failure starts the next one, its success cancels the others.
        group.addTask(name: "stomp.connect.attempt") { .ended(index, await self.attempt(address)) }
        guard schedule.hasNext, let pause = self.pause else { return }
        // Its end starts the next one, unless a failure has.
        group.addTask(name: "stomp.connect.delay") {
            await pause(RaceSchedule.delay)
            return .delayIsOver(after: index)
        }
    }
}
