// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// `send` to a destination of one's own, or with more headers than the driver contract has.
struct Sending: Workload {
    let target: Target

    func run() async throws -> [Round] {
        try await self.target.withClient { client in
            [try await self.send(client)]
        }
    }

    @concurrent
    private func send(_ client: STOMPClient) async throws -> Round {
        let arguments = self.target.arguments
        let destination = STOMPDestination(arguments.destination ?? "/sink")
        let body = self.target.body
        let variants = HeaderVariants(total: arguments.headers, own: 3)
        let stopwatch = Stopwatch()
        for number in 1..<arguments.count {
            try await client.send(body, to: destination, contentType: .plainText, headers: variants[number])
            if self.target.tellsProgress(after: number) {
                await self.target.progress.note("sent", number, of: arguments.count)
            }
        }
        // Frames are handled in their order: this one's receipt stands for all.
        try await client.send(body, to: destination, contentType: .plainText, headers: variants[0], receipt: .required)
        return self.target.round(
            stopwatch.measurement(
                mode: arguments.mode.rawValue,
                count: arguments.count,
                byteCount: arguments.count * arguments.size
            )
        )
    }
}
