// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension FrameSerializer {
    /// A MESSAGE.
    ///
    /// A user header that this version cannot say is left out: a 1.0 client has no use for a line feed.
    func append(
        _ delivery: Delivery,
        for subscription: BrokerState.Subscription,
        to output: inout OutputBuffer
    ) {
        let message = delivery.content.message
        output.append("MESSAGE\n")
        if let id = subscription.id { self.appendIfPossible("subscription", id, to: &output) }
        self.appendIfPossible("message-id", delivery.messageID, to: &output)
        self.appendIfPossible("destination", message.destination, to: &output)
        if self.version == .v12, subscription.mode != .auto {
            self.appendIfPossible("ack", delivery.acknowledgementID, to: &output)
        }
        self.appendIfPossible("redelivered", delivery.content.isRedelivered ? "true" : "false", to: &output)
        if !message.body.isEmpty { self.appendContentLength(message.body.count, to: &output) }
        for field in message.headers.fields {
            self.appendIfPossible(field.name.rawValue, field.value, to: &output)
        }
        output.append(UInt8(ascii: "\n"))
        message.body.withUnsafeBytes { output.append($0) }
        output.append(0)
    }

    private func appendIfPossible(_ name: String, _ value: String, to output: inout OutputBuffer) {
        let checkpoint = output.count
        do throws(STOMPError) {
            try self.appendHeader(name, value, to: &output)
        } catch {
            output.truncate(to: checkpoint)
        }
    }

    /// A frame of the broker's own; one that cannot be said in this version is said without its headers.
    func appendOrReduce(_ frame: STOMPFrame, to output: inout OutputBuffer) {
        do throws(STOMPError) {
            try self.append(frame, to: &output)
        } catch {
            output.append("ERROR\nmessage:Internal error\n\n")
            output.append(0)
        }
    }
}
