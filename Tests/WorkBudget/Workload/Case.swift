// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// One kind of work, done so many times.
struct Case: Sendable {
    let name: String
    let work: @Sendable (_ count: Int) async throws -> Void

    init(_ name: String, _ work: @escaping @Sendable (_ count: Int) async throws -> Void) {
        self.name = name
        self.work = work
    }

    static let all: [Case] = [
        Case("receive-16") { try await Receiving(bodyByteCount: 16).run($0) },
        Case("receive-256") { try await Receiving(bodyByteCount: 256).run($0) },
        Case("receive-4096") { try await Receiving(bodyByteCount: 4_096).run($0) },
        Case("receive-65536") { try await Receiving(bodyByteCount: 65_536).run($0) },
        Case("receive-20-headers") { try await Receiving(bodyByteCount: 256, moreHeaders: 12).run($0) },
        Case("receive-text") { try await Receiving(bodyByteCount: 256, decodes: true).run($0) },
        Case("receive-one-by-one") { try await Receiving(bodyByteCount: 256, isOneByOne: true).run($0) },
        Case("receive-64-subscriptions") { try await Receiving(bodyByteCount: 256, subscriptionCount: 64).run($0) },
        Case("ack-16") { try await Receiving(bodyByteCount: 16, acknowledges: true).run($0) },
        Case("send-16") { try await Sending(bodyByteCount: 16).run($0) },
        Case("send-1024") { try await Sending(bodyByteCount: 1_024).run($0) },
        Case("send-receipt-64") { try await Sending(bodyByteCount: 16, inFlight: 64).run($0) },
        Case("send-receipt-1") { try await Sending(bodyByteCount: 16, inFlight: 1).run($0) },
        Case("parse-256") { try Codec.parse($0, moreHeaders: 0) },
        Case("parse-20-headers") { try Codec.parse($0, moreHeaders: 12) },
        Case("serialize-256") { try Codec.serialize($0) },
        Case("large") { try await Large(isAnnounced: true).run($0) },
        Case("large-unannounced") { try await Large(isAnnounced: false).run($0) },
    ]
}
