// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What `--help` prints.
enum Help {
    static var text: String {
        let modes = BenchMode.allCases.map { "  \(Figure.padded($0.rawValue, to: 15))\($0.summary)" }
        let options = Option.allCases.map { option in
            let name = option.isFlag ? option.rawValue : "\(option.rawValue) \(option.help.value)"
            return "  \(Figure.padded(name, to: 20))\(option.help.text)"
        }
        return """
            usage: stomp-bench MODE [options]
                   stomp-bench chart [--cpu] FILE...
                   stomp-bench HOST PORT recv|send|rtt|ack COUNT BODYSIZE

            modes:
            \(modes.joined(separator: "\n"))

            options:
            \(options.joined(separator: "\n"))

            The last form prints one JSON line about one run against a load peer. Without --destination a peer that
            knows /blast, /round and /sink is expected; with it, what is received is first sent by a second connection.
            """
    }
}
