// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A line on a terminal that says how far it is; nothing elsewhere.
actor Progress {
    nonisolated let isShown: Bool
    private let mode: String
    private let start = ContinuousClock.now
    private var rounds = ""
    private var part = ""
    private var state = ""

    init(mode: String, isShown: Bool) {
        self.mode = mode
        self.isShown = isShown
    }

    func begin(round: Int, of count: Int) {
        self.rounds = count > 1 ? ", round \(round) of \(count)" : ""
        self.part = ""
        self.state = ""
        self.show()
    }

    /// A part of a round begins.
    func title(_ part: String) {
        self.part = ", \(part)"
        self.state = ""
        self.show()
    }

    /// So much is done.
    func note(_ verb: String, _ done: Int, of total: Int) {
        self.state = ", \(verb) \(Figure.grouped(done)) of \(Figure.grouped(total)) (\(done * 100 / max(total, 1)) %)"
    }

    func tick() {
        self.show()
    }

    func clear() {
        if self.isShown { StandardError.write("\r\u{1B}[K") }
    }

    private func show() {
        guard self.isShown else { return }
        let seconds = Figure.fixed((ContinuousClock.now - self.start) / .seconds(1), 1)
        StandardError.write("\r\u{1B}[K\(self.mode)\(self.rounds)\(self.part)\(self.state), \(seconds) s")
    }
}
