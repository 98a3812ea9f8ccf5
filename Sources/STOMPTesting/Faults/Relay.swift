// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

package import STOMP
package import STOMPTransport

/// A connection between a client and a server that is passed on, with what goes wrong on the way.
package final class Relay: Sendable {
    package let toServer: RelayDirection
    package let toClient: RelayDirection
    private let client: any ByteTransport
    private let server: any ByteTransport
    private let frames: FaultPlan.Frames

    package init(
        from client: any ByteTransport,
        to server: any ByteTransport,
        script: FaultPlan.Script = FaultPlan.Script(),
        seed: UInt64 = 0,
        time: TimeSource
    ) {
        self.client = client
        self.server = server
        self.frames = script.frames
        self.toServer = RelayDirection(script.toServer, seed: seed, time: time)
        self.toClient = RelayDirection(script.toClient, seed: ~seed, time: time)
    }

    /// Passes on until either end has closed, or the task is cancelled; then both are closed.
    ///
    /// - Returns: whether it ended as the script says.
    @discardableResult
    package func run() async -> Bool {
        let wasCut = await withTaskGroup(of: RelayDirection.End.self) { group in
            group.addTask(name: "stomp.relay.to-server") {
                await self.toServer.run(from: self.client, to: self.server, FaultPlan.Frames())
            }
            group.addTask(name: "stomp.relay.to-client") {
                await self.toClient.run(from: self.server, to: self.client, self.frames)
            }
            var end = await group.next()
            // Who takes no more may have said why.
            if case .sinkEnded? = end { end = await group.next() }
            group.cancelAll()
            if case .cut? = end { return true }
            return false
        }
        self.close()
        return wasCut
    }

    /// Ends the connection on both sides.
    package func close() {
        self.client.close()
        self.server.close()
    }

    /// Ends the connection on both sides, which is an error there, if the transport knows such a thing.
    package func reset() {
        self.client.reset()
        self.server.reset()
    }
}
