// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// When the broker considers a message consumed (STOMP 1.2, SUBSCRIBE ack).
public enum STOMPAckMode: String, Sendable, Hashable, CaseIterable {
    /// As soon as the broker has sent it: whatever is under way or buffered when the connection or the process ends is
    /// lost.
    case auto
    /// When it or a later message of the same subscription is acknowledged: acks are cumulative.
    case client
    /// When this very message is acknowledged. From STOMP 1.1 on.
    case clientIndividual = "client-individual"
}
