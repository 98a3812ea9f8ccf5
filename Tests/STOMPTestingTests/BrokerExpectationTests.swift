// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMPTesting

/// What users' tests ask a broker.
@Suite struct BrokerExpectationTests {
    @Test func `counts of connections and subscriptions`() async throws {
        try await withSTOMPBroker { broker in
            #expect(await broker.connectionCount == 0)
            let one = try await broker.session()
            let two = try await broker.session()
            try await broker.waitForConnections(2)
            try await one.subscribe("/queue/q", id: "1")
            try await two.subscribe("q", id: "1")
            try await two.subscribe("/topic/a.#", id: "2")
            #expect(await broker.subscriptionCount(for: "/queue/q") == 2)
            #expect(await broker.subscriptionCount(for: "/topic/a.#") == 1)
            #expect(await broker.subscriptionCount(for: "/topic/a.b") == 0)
            one.hangUp()
            two.hangUp()
            try await broker.waitForDisconnection()
            #expect(await broker.subscriptionCount(for: "/queue/q") == 0)
        }
    }

    @Test func `waiting for what happens later`() async throws {
        try await withSTOMPBroker { broker in
            async let settled = broker.settled(in: "/queue/q", count: 2)
            async let subscribed: Void = broker.waitForSubscription(to: "/queue/q", count: 1)
            async let connected: Void = broker.waitForConnections(1)
            async let waiting = broker.messages(in: "/queue/p", count: 2)
            let client = try await broker.session()
            try await connected
            try await client.send("SUBSCRIBE\nid:0\ndestination:/queue/q\nack:client\n\n\0")
            try await subscribed
            for text in ["a", "b", "c"] { try await broker.publish(text, to: "/queue/q") }
            try await client.send("ACK\nid:a-1\n\n\0ACK\nid:a-3\n\n\0")
            #expect(try await settled == [.acknowledged("a"), .acknowledged("b")])
            try await client.send("SEND\ndestination:/queue/p\n\nx\0SEND\ndestination:/queue/p\n\ny\0")
            #expect(try await waiting.map(\.text) == ["x", "y"])
            #expect(try await broker.settled(in: "/queue/q", count: 3).last == .acknowledged("c"))
        }
    }

    @Test func `a wait can be cancelled`() async throws {
        try await withSTOMPBroker { broker in
            await withTaskGroup(of: STOMPError.Code?.self) { group in
                group.addTask {
                    do throws(STOMPError) {
                        try await broker.waitForConnections(1)
                        return nil
                    } catch {
                        return error.code
                    }
                }
                group.cancelAll()
                #expect(await group.next() == .cancelled)
            }
        }
    }

    @Test func `a wait ends with the broker`() async throws {
        let broker = try STOMPBroker()
        await withTaskGroup(of: STOMPError.Code?.self) { group in
            group.addTask {
                do throws(STOMPError) {
                    try await broker.waitForSubscription(to: "q")
                    return nil
                } catch {
                    return error.code
                }
            }
            await withTaskGroup { running in
                running.addTask { try? await broker.run() }
                running.cancelAll()
            }
            #expect(await group.next() == .closed)
        }
    }

    @Test func `received frames are logged`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session(headers: "login:l\npasscode:secret\n")
            try await client.request("SEND\ndestination:q\nx:a\\cb", body: "hello")
            #expect(
                await broker.receivedFrames == [
                    STOMPFrame(.connect, headers: [.acceptVersion: "1.2", .host: "h", .login: "l"]),
                    STOMPFrame(
                        .send,
                        headers: [.destination: "q", "x": "a:b", .receipt: "r"],
                        body: Array("hello".utf8)
                    ),
                ]
            )
        }
    }

    @Test func `published messages look like sent ones`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session()
            try await client.subscribe("q")
            try await broker.publish([0, 255], to: "q", headers: [.contentType: "application/x", .receipt: "no"])
            try await client.expect(
                "MESSAGE\nsubscription:0\nmessage-id:m-1\ndestination:q\nredelivered:false\ncontent-length:2\n"
                    + "content-type:application/x\n\n"
            )
            #expect(try await client.receiveBytes(count: 3) == [0, 255, 0])
            let error = await #expect(throws: STOMPError.self) { try await broker.publish("a", to: "/topic/") }
            #expect(error?.code == .rejected)
        }
    }

    @Test func `all connections can be cut`() async throws {
        try await withSTOMPBroker { broker in
            let silent = try await broker.connect()
            let client = try await broker.session()
            try await client.subscribe("q", ack: "client")
            try await broker.publish("a", to: "q")
            #expect(try await client.receive().body == "a")
            await broker.disconnectAll()
            #expect(await broker.connectionCount == 0)
            #expect(await broker.messages(in: "q").map(\.text) == ["a"])
            try await client.expectHangUp()
            _ = silent
            _ = try await broker.session()
        }
    }

    @Test func `an ERROR can be injected`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session()
            await broker.sendError("odd", headers: [.receiptID: "5"], then: .stayOpen)
            try await client.expect("ERROR\nmessage:odd\nreceipt-id:5\n\n\0")
            try await client.request("SEND\ndestination:q")
            await broker.sendError("worse: much", body: "details")
            try await client.expect(
                "ERROR\nmessage:worse\\c much\ncontent-type:text/plain\ncontent-length:7\n\ndetails\0"
            )
            try await client.expectHangUp()
        }
    }

    @Test func `connections end with the broker`() async throws {
        var leaked: RawClient?
        try await withSTOMPBroker { broker in leaked = try await broker.session() }
        try await leaked?.expectHangUp()
    }

    @Test func `an error of the body ends the broker and is thrown`() async throws {
        struct Oops: Error {}
        await #expect(throws: Oops.self) {
            try await withSTOMPBroker { broker in
                _ = try await broker.session()
                throw Oops()
            }
        }
    }
}
