// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The messages of one subscription, in order: `for try await message in subscription`.
///
/// Leaving a loop does not end the subscription, and the next loop goes on with the next message. It ends with
/// ``unsubscribe(headers:)``, with its scope, with the client, or when the last copy of this value is gone. One task
/// iterates at a time. A cancelled task's loop ends at the next message, at the latest after 64.
public struct STOMPSubscription: AsyncSequence, Sendable {
    /// What a subscription gives.
    public typealias Element = STOMPMessage
    /// Why a loop over it can end.
    public typealias Failure = STOMPError

    @usableFromInline
    let handle: SubscriptionHandle

    init(_ storage: SubscriptionStorage) {
        self.handle = SubscriptionHandle(storage)
    }

    /// The subscription's id on the wire.
    public var id: String {
        self.handle.storage.id
    }

    /// The destination that was subscribed to.
    public var destination: STOMPDestination {
        self.handle.storage.destination
    }

    /// An iterator, which goes on where the last one stopped.
    public func makeAsyncIterator() -> Iterator {
        Iterator(self.handle)
    }

    /// Takes messages from the subscription; all iterators of one subscription share its place.
    public struct Iterator: AsyncIteratorProtocol {
        @usableFromInline
        let handle: SubscriptionHandle
        @usableFromInline
        let loop: SubscriptionLoop
        /// The handle's: it is there as long as that is.
        @usableFromInline
        let place: UnsafeMutablePointer<ConsumerPlace>

        @usableFromInline
        init(_ handle: SubscriptionHandle) {
            self.handle = handle
            self.place = handle.storage.place
            self.loop = SubscriptionLoop(handle.storage)
        }

        /// The next message; `nil` when the subscription has ended as wished or the task was cancelled.
        ///
        /// - Throws: why the subscription ended otherwise, or ``STOMPError/Code/alreadyIterating``.
        @inlinable
        public mutating func next() async throws(STOMPError) -> STOMPMessage? {
            try await self.next(isolation: nil)
        }

        /// As ``next()``, staying on the caller's actor.
        @inlinable
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(STOMPError) -> STOMPMessage? {
            defer { withExtendedLifetime(self.handle) {} }
            if let message = ConsumerPlace.takeBuffered(at: self.place) { return message }
            return try await self.handle.storage.takeNext(isolation: actor)
        }
    }
}

@available(*, unavailable)
extension STOMPSubscription.Iterator: Sendable {}

/// Tells that a loop was left: whoever was in it has no message any more.
@usableFromInline
final class SubscriptionLoop: Sendable {
    private let storage: SubscriptionStorage

    init(_ storage: SubscriptionStorage) {
        self.storage = storage
    }

    deinit {
        self.storage.noteHandled()
    }
}

/// Ends the subscription when nobody has it any more.
@usableFromInline
final class SubscriptionHandle: Sendable {
    @usableFromInline
    let storage: SubscriptionStorage

    init(_ storage: SubscriptionStorage) {
        self.storage = storage
    }

    deinit {
        self.storage.owner.outbox.abandon(self.storage)
    }
}
