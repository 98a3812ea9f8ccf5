// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What a `destination` header means to the broker.
enum BrokerDestination: Hashable, Sendable {
    /// Each message goes to one subscriber.
    case queue(OctetString)
    /// Each message goes to every subscriber.
    case topic(OctetString)

    /// - Returns: `nil` for an empty name.
    init?(_ text: String) {
        if let name = Self.name(in: text, after: "/topic/") {
            self = .topic(name)
        } else {
            // Like RabbitMQ and ActiveMQ: `orders` is `/queue/orders`.
            self = .queue(Self.name(in: text, after: "/queue/") ?? OctetString(text))
        }
        if self.name.text.isEmpty { return nil }
    }

    private static func name(in text: String, after prefix: String) -> OctetString? {
        guard text.utf8.starts(with: prefix.utf8) else { return nil }
        return OctetString(String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
    }

    private var name: OctetString {
        switch self {
        case .queue(let name), .topic(let name): name
        }
    }
}

/// The names of topics that a subscription wants, as RabbitMQ has it: words with dots between them, `*` for one word,
/// `#` for any number of words, also none.
struct TopicPattern: Sendable {
    private enum Word: Equatable {
        case literal([UInt8])
        case one
        case any
    }

    let name: OctetString
    private let words: [Word]

    init(_ name: OctetString) {
        self.name = name
        self.words = Self.split(name).map { word in
            switch word {
            case [UInt8(ascii: "*")]: .one
            case [UInt8(ascii: "#")]: .any
            default: .literal(word)
            }
        }
    }

    private static func split(_ name: OctetString) -> [[UInt8]] {
        name.text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Array.init)
    }

    func matches(_ topic: OctetString) -> Bool {
        // The usual glob: on a mismatch the last `#` takes one more word. Never worse than words times words.
        let topicWords = Self.split(topic)
        var position = 0
        var wordIndex = 0
        var lastAny: (wordIndex: Int, position: Int)?
        while position < topicWords.count {
            if wordIndex < self.words.count, self.words[wordIndex] == .any {
                lastAny = (wordIndex, position)
                wordIndex += 1
            } else if wordIndex < self.words.count, self.matches(self.words[wordIndex], topicWords[position]) {
                wordIndex += 1
                position += 1
            } else if let retry = lastAny {
                lastAny = (retry.wordIndex, retry.position + 1)
                wordIndex = retry.wordIndex + 1
                position = retry.position + 1
            } else {
                return false
            }
        }
        return self.words[wordIndex...].allSatisfy { $0 == .any }
    }

    private func matches(_ word: Word, _ text: [UInt8]) -> Bool {
        word == .one || word == .literal(text)
    }
}
