// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import Testing

@Suite("ERROR frames of real brokers", .realBrokers)
struct BrokerErrorTests {
    @Test("RabbitMQ's ERROR names nothing, so it ends the session", .realBroker(.rabbitMQ), arguments: STOMPVersion.all)
    func fatal(version: STOMPVersion) async throws {
        try await BrokerSession(kind: .rabbitMQ, version: version).run { fixture in
            let queue = fixture.queue("fatal")
            let sendError = Shared<STOMPError?>(nil)
            let streamError = Shared<STOMPError?>(nil)
            let error = await failure {
                try await fixture.withClient { client in
                    let messages = try await client.subscribe(to: queue, ack: .auto)
                    do throws(STOMPError) {
                        try await client.send("x", to: "/nowhere/x", receipt: .required)
                    } catch {
                        sendError.set(error)
                    }
                    do throws(STOMPError) {
                        for try await _ in messages {}
                    } catch {
                        streamError.set(error)
                    }
                }
            }
            #expect(error?.code == .serverError, "\(String(describing: error))")
            #expect(sendError.value?.code == .serverError)
            #expect(sendError.value?.message.contains("nowhere") == true)
            #expect(sendError.value?.frame?.command == .error)
            #expect(streamError.value?.code == .connectionLost)
        }
    }

    @Test(
        "ActiveMQ's ERROR names the receipt: that call is rejected, and the connection lives",
        .realBroker(.activeMQ),
        arguments: STOMPVersion.all
    )
    func attributed(version: STOMPVersion) async throws {
        try await BrokerSession(kind: .activeMQ, version: version).run { fixture in
            let forbidden = fixture.queue("forbidden")
            let allowed = STOMPDestination("/queue/app.\(forbidden.rawValue.dropFirst("/queue/".count))")
            var server = fixture.server
            server.login = STOMPLogin("app", passcode: "secret")
            try await withSTOMPClient(server, configuration: fixture.configuration) { client in
                let sending = await failure {
                    try await client.send("x", to: forbidden, receipt: .required)
                }
                #expect(sending?.code == .rejected, "\(String(describing: sending))")
                #expect(sending?.frame?.command == .error)
                let subscribing = await failure {
                    _ = try await client.subscribe(to: forbidden)
                }
                if version > .v10 { #expect(subscribing?.code == .rejected, "\(String(describing: subscribing))") }
                try await client.withSubscription(to: allowed, ack: .auto) { messages in
                    await client.expectAlive(allowed)
                    try await messages.expectText("alive")
                }
            }
        }
    }

    @Test("A refused SUBSCRIBE leaves nothing behind", .realBroker(.activeMQ))
    func badSelector() async throws {
        try await BrokerSession(kind: .activeMQ, version: .v12).run { fixture in
            let queue = fixture.queue("selector")
            try await fixture.withClient { client in
                let error = await failure {
                    _ = try await client.subscribe(to: queue, id: "mine", headers: [.selector: "not a selector ="])
                }
                #expect(error?.code == .rejected, "\(String(describing: error))")
                try await client.withSubscription(to: queue, id: "mine") { messages in
                    await client.expectAlive(queue)
                    try await messages.expectTexts(["alive"])
                }
            }
        }
    }
}
