// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Decides which connection a client has.
///
/// Now: one, and its end is the client's; the place where a policy will be asked is ``superviseConnections()``.
struct Supervisor: Sendable {
    let client: STOMPClient

    /// - Returns: why the client has ended, or `nil` if that was wished.
    func run() async -> STOMPError? {
        await withTaskGroup(of: STOMPError?.self) { group in
            // Its end is the client's.
            group.addTask(name: "stomp.supervisor") { await self.superviseConnections() }
            // Turns the wish to shut down into a polite end of the connection, or of the attempt to make one.
            group.addTask(name: "stomp.shutdown") {
                await self.client.shutdown.wait()
                // The connection itself says goodbye when it is cancelled.
                guard !Task.isCancelled else { return nil }
                await self.client.current?.disconnect()
                return nil
            }
            // A polite end makes the supervisor end too; so it is the only one to be waited for twice.
            let first = await group.next() ?? nil
            group.cancelAll()
            let second = await group.next() ?? nil
            let failure = first ?? second
            // What a cancelled attempt says is not news: the shutdown was wished.
            return failure?.code == .cancelled && !Task.isCancelled ? nil : failure
        }
    }

    private func superviseConnections() async -> STOMPError? {
        do throws(STOMPError) {
            let connection = try await STOMPConnection.open(
                to: self.client.server,
                configuration: self.client.configuration,
                time: self.client.time,
                events: self.client.hub
            )
            self.client.hub.send(.connected(connection.session))
            self.client.publish(connection)
            let end = await self.drive(connection)
            self.client.publish(nil)
            self.client.hub.send(.disconnected(end))
            return Task.isCancelled && end == nil ? .cancelled : end
        } catch {
            return error
        }
    }

    private func drive(_ connection: STOMPConnection) async -> STOMPError? {
        await withTaskGroup(of: STOMPError?.self) { group in
            // The next attempt would start only after this scope has ended.
            group.addTask(name: "stomp.connection") { await connection.run() }
            return await group.next() ?? nil
        }
    }
}
