// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What can be measured, or drawn.
enum BenchMode: String, CaseIterable {
    case recv
    case send
    case rtt
    case ack
    case receipts
    case subscriptions
    case transactions
    case consumers
    case connections
    case codec
    case chart

    /// One line for the help.
    var summary: String {
        switch self {
        case .recv: "receive COUNT messages, without acknowledging"
        case .send: "send COUNT messages; the last one is confirmed"
        case .rtt: "send COUNT messages, each confirmed before the next"
        case .ack: "receive COUNT messages and acknowledge each"
        case .receipts: "send COUNT messages, N of them awaiting their receipts at any time"
        case .subscriptions: "receive COUNT messages in all by N subscriptions of one connection"
        case .transactions: "send COUNT messages in transactions, each commit confirmed"
        case .consumers: "a fast consumer, alone and beside a slow and a dead one"
        case .connections: "N idle connections with heart-beats: memory, CPU for each beat, losses"
        case .codec: "parse and write COUNT frames in memory; needs no server"
        case .chart: "draw JSON lines of runs as an SVG, which goes to standard output"
        }
    }

    /// How many messages, unless the command line says so or bodies are large; nil: the mode decides.
    var defaultCount: Int? {
        switch self {
        case .recv, .send, .ack, .subscriptions, .codec: 1_000_000
        case .receipts: 200_000
        case .transactions: 100_000
        case .rtt: 20_000
        case .consumers, .connections, .chart: nil
        }
    }
}
