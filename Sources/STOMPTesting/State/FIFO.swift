// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Elements in the order in which they came: an array that is taken from at its head, in constant time on average.
struct FIFO<Element> {
    private var storage: [Element?] = []
    private var head = 0

    init() {}

    var count: Int {
        self.storage.count - self.head
    }

    var isEmpty: Bool {
        self.count == 0
    }

    var first: Element? {
        self.isEmpty ? nil : self.storage[self.head]
    }

    /// The elements from the head on.
    var elements: some Sequence<Element> {
        self.storage[self.head...].lazy.compactMap { $0 }
    }

    mutating func append(_ element: Element) {
        self.storage.append(element)
    }

    mutating func popFirst() -> Element? {
        guard !self.isEmpty else { return nil }
        // Emptied in place: what was taken must not be kept alive.
        let element = self.storage[self.head].take()
        self.head += 1
        if self.head == self.storage.count {
            self.storage.removeAll(keepingCapacity: self.storage.count <= 1_024)
            self.head = 0
        } else if self.head > 32, self.head > self.storage.count / 2 {
            self.storage.removeFirst(self.head)
            self.head = 0
        }
        return element
    }

    /// Removes the elements that do not satisfy the condition.
    mutating func keep(where isKept: (Element) -> Bool) {
        self.storage = self.storage[self.head...].filter { $0.map(isKept) ?? false }
        self.head = 0
    }
}
