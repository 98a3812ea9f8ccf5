// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The options, and which modes they belong to.
enum Option: String, CaseIterable {
    case url = "--url"
    case destination = "--destination"
    case count = "--count"
    case size = "--size"
    case headers = "--headers"
    case rounds = "--rounds"
    case inFlight = "--in-flight"
    case subscriptions = "--subscriptions"
    case sends = "--sends"
    case hardLimit = "--hard-limit"
    case connections = "--connections"
    case seconds = "--seconds"
    case heartBeat = "--heart-beat"
    case limit = "--limit"
    case json = "--json"
    case compare = "--compare"
    case cpu = "--cpu"

    /// Whether it has no value.
    var isFlag: Bool {
        self == .json || self == .cpu
    }

    var modes: Set<BenchMode> {
        let measuring = Set(BenchMode.allCases).subtracting([.chart])
        switch self {
        case .rounds, .json, .compare, .limit: return measuring
        case .url: return measuring.subtracting([.codec])
        case .destination: return measuring.subtracting([.codec, .connections])
        case .count, .size: return measuring.subtracting([.connections])
        case .headers: return measuring.subtracting([.connections, .consumers])
        case .inFlight: return [.receipts]
        case .subscriptions: return [.subscriptions]
        case .sends: return [.transactions]
        case .hardLimit: return [.consumers]
        case .connections, .seconds, .heartBeat: return [.connections]
        case .cpu: return [.chart]
        }
    }

    /// What stands for its value, and what it means.
    var help: (value: String, text: String) {
        switch self {
        case .url: ("URL", "the server: stomp, stomp+ssl, ws, wss, unix or failover (stomp://localhost:61613)")
        case .destination: ("D", "a destination of a real broker; without, those of the load peer are used")
        case .count: ("N", "messages in a round")
        case .size: ("BYTES", "body size: 0, 256, 4K, 16M (256)")
        case .headers: ("N", "3 to 40 headers, whose values change their length from message to message")
        case .rounds: ("N", "rounds; the median one is reported (1)")
        case .inFlight: ("N", "receipts: sends that await their receipts at the same time (64)")
        case .subscriptions: ("N", "subscriptions: how many on one connection (8)")
        case .sends: ("N", "transactions: sends in each (10)")
        case .hardLimit: ("BYTES", "consumers: what each subscription may hold (256M)")
        case .connections: ("N", "connections: how many, up to 10000 (100)")
        case .seconds: ("S", "connections: how long they idle (10)")
        case .heartBeat: ("S", "connections: interval of the beats, both ways (1)")
        case .limit: ("S", "give up a round after so many seconds (600)")
        case .json: ("", "print one JSON line instead")
        case .compare: ("FILE", "print the figures beside those of an earlier run: a file of JSON lines")
        case .cpu: ("", "chart: CPU for each message instead of messages a second")
        }
    }
}
