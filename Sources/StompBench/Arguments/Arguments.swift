// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What the command line asks for.
struct Arguments: Sendable {
    var mode: BenchMode
    var url = "stomp://localhost:61613"
    /// Nil: those of the load peer.
    var destination: String?
    /// Nil: what suits mode and size.
    var givenCount: Int?
    var size = 256
    var headers: Int?
    var rounds = 1
    var isJSON = false
    var compare: String?
    var inFlight = 64
    var subscriptions = 8
    var connections = 100
    var seconds = 10.0
    var heartBeat = 1.0
    /// In each transaction.
    var sends = 10
    var hardLimit = 256 << 20
    /// How long a round may take, in seconds.
    var limit = 600.0
    /// What is drawn: processor time rather than messages a second.
    var isChartOfCPU = false
    var files: [String] = []

    init(mode: BenchMode) {
        self.mode = mode
    }

    init(_ words: [String]) throws(BenchError) {
        guard let first = words.first else { throw BenchError("there is no mode; stomp-bench --help lists them") }
        guard let mode = BenchMode(rawValue: first) else {
            let modes = BenchMode.allCases.map(\.rawValue).joined(separator: ", ")
            throw BenchError(
                "\"\(first)\" is no mode; there are \(modes), and HOST PORT recv|send|rtt|ack COUNT BODYSIZE"
            )
        }
        self.init(mode: mode)
        var rest = words.dropFirst()
        while let word = rest.popFirst() {
            guard word.hasPrefix("-") else {
                guard mode == .chart else { throw BenchError("\"\(word)\" is no option of \(mode.rawValue)") }
                self.files.append(word)
                continue
            }
            guard let option = Option(rawValue: word) else {
                throw BenchError("\(word) is no option; stomp-bench --help lists them")
            }
            guard option.modes.contains(mode) else {
                throw BenchError("\(word) means nothing for \(mode.rawValue)")
            }
            if option.isFlag {
                self.set(option)
            } else {
                guard let value = rest.popFirst() else { throw BenchError("\(word) needs a value") }
                try self.set(option, value)
            }
        }
        try self.check()
    }

    private mutating func set(_ option: Option) {
        switch option {
        case .json: self.isJSON = true
        default: self.isChartOfCPU = true
        }
    }

    private mutating func set(_ option: Option, _ value: String) throws(BenchError) {
        let name = option.rawValue
        switch option {
        case .url: self.url = value
        case .destination:
            guard !value.isEmpty else { throw BenchError("--destination has an empty value") }
            self.destination = value
        case .count: self.givenCount = try Quantity.number(value, of: name, in: 1...1_000_000_000)
        case .size: self.size = try Quantity.bytes(value, of: name, in: 0...64 << 20)
        case .headers: self.headers = try Quantity.number(value, of: name, in: 3...40)
        case .rounds: self.rounds = try Quantity.number(value, of: name, in: 1...1_000)
        case .compare: self.compare = value
        case .inFlight: self.inFlight = try Quantity.number(value, of: name, in: 1...100_000)
        case .subscriptions: self.subscriptions = try Quantity.number(value, of: name, in: 1...10_000)
        case .connections: self.connections = try Quantity.number(value, of: name, in: 1...10_000)
        case .seconds: self.seconds = try Quantity.seconds(value, of: name, in: 0...86_400)
        case .heartBeat: self.heartBeat = try Quantity.seconds(value, of: name, in: 0.1...3_600)
        case .sends: self.sends = try Quantity.number(value, of: name, in: 1...100_000)
        case .hardLimit: self.hardLimit = try Quantity.bytes(value, of: name, in: 1 << 20...4_096 << 20)
        case .limit: self.limit = try Quantity.seconds(value, of: name, in: 1...86_400)
        case .json, .cpu: break
        }
    }

    private func check() throws(BenchError) {
        if self.mode == .chart, self.files.isEmpty { throw BenchError("chart needs files with JSON lines") }
        if self.isJSON, self.compare != nil { throw BenchError("--compare is for people, and --json for machines") }
        if self.mode == .subscriptions, self.count < self.subscriptions {
            throw BenchError(
                "--count \(self.count) is less than a message for each of \(self.subscriptions) subscriptions"
            )
        }
    }

    /// How many messages: as given, or so many that it takes seconds.
    var count: Int {
        if let count = self.givenCount { return count }
        let most = (4 << 30) / max(self.size, 1)
        return max(16, min(self.mode.defaultCount ?? 1, most))
    }
}
