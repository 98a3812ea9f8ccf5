// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// In which order servers are tried: a queue, in which a server that failed goes to the end.
struct ServerOrder: Sendable {
    /// Indices of the list.
    private(set) var queue: [Int]
    private let priorities: Set<Int>
    private let isRandomized: Bool

    init(_ list: STOMPServerList) {
        self.queue = Array(list.servers.indices)
        self.priorities = Set(list.servers.indices.filter(list.isPriority))
        self.isRandomized = list.isRandomized
    }

    /// The order of the next round: priority servers first.
    var round: [Int] {
        self.queue.filter(self.priorities.contains) + self.queue.filter { !self.priorities.contains($0) }
    }

    mutating func shuffleIfRandomized(using random: inout any RandomNumberGenerator & Sendable) {
        if self.isRandomized { self.queue.shuffle(using: &random) }
    }

    mutating func failed(_ server: Int) {
        guard let place = self.queue.firstIndex(of: server) else { return }
        self.queue.remove(at: place)
        self.queue.append(server)
    }

    /// Never again.
    mutating func remove(_ server: Int) {
        self.queue.removeAll { $0 == server }
    }

    /// The priority servers to look for while connected to this one.
    func preferred(to server: Int) -> [Int] {
        self.priorities.contains(server) ? [] : self.queue.filter(self.priorities.contains)
    }
}
