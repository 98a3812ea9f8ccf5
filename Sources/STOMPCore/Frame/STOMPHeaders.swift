// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The headers of a frame: ordered, all kept, the first of a repeated name is its value.
///
/// STOMP 1.2, Repeated Header Entries. Values are decoded text; escaping is the codec's work.
public struct STOMPHeaders: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// One header.
    public struct Field: Sendable, Hashable {
        /// The header's name.
        public var name: Name
        /// The header's value, not escaped.
        public var value: String

        /// A header with this name and value.
        public init(name: Name, value: String) {
            self.name = name
            self.value = value
        }

        /// Whether both consist of the same octets; canonical equivalence is not enough.
        public static func == (lhs: Field, rhs: Field) -> Bool {
            lhs.name == rhs.name && lhs.value.utf8.elementsEqual(rhs.value.utf8)
        }

        /// Hashes the octets that `==` compares.
        public func hash(into hasher: inout Hasher) {
            hasher.combine(self.name)
            for byte in self.value.utf8 { hasher.combine(byte) }
        }
    }

    /// All headers in the order in which they stand in the frame.
    public private(set) var fields: [Field]

    /// No headers.
    public init() {
        self.fields = []
    }

    /// These headers, in this order.
    public init(_ fields: some Sequence<Field>) {
        self.fields = Array(fields)
    }

    /// These headers, in this order; names may be repeated.
    public init(dictionaryLiteral elements: (Name, String)...) {
        self.fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// Whether there is no header.
    public var isEmpty: Bool {
        self.fields.isEmpty
    }

    /// The number of headers, repeated ones counted each.
    public var count: Int {
        self.fields.count
    }

    /// The value of the first header with this name.
    ///
    /// Setting replaces the first one and removes its repetitions; setting `nil` removes all.
    public subscript(name: Name) -> String? {
        get {
            self.fields.first { $0.name == name }?.value
        }
        set {
            let position = self.fields.firstIndex { $0.name == name }
            self.fields.removeAll { $0.name == name }
            guard let newValue else { return }
            self.fields.insert(Field(name: name, value: newValue), at: position ?? self.fields.endIndex)
        }
    }

    /// The values of all headers with this name, in order.
    public subscript(values name: Name) -> [String] {
        self.fields.filter { $0.name == name }.map(\.value)
    }

    /// Adds a header at the end; it does not replace an earlier one of the same name.
    public mutating func append(_ name: Name, _ value: String) {
        self.fields.append(Field(name: name, value: value))
    }

    /// Adds those headers of `other` whose names are not here yet, so that what stands here wins.
    package mutating func appendMissing(from other: STOMPHeaders) {
        let present = Set(self.fields.map(\.name))
        self.fields += other.fields.filter { !present.contains($0.name) }
    }

    package mutating func reserveCapacity(_ count: Int) {
        self.fields.reserveCapacity(count)
    }
}

extension String {
    /// Equality of octets.
    ///
    /// `==` is canonical equivalence, but tells different lengths and texts apart fast.
    package func hasSameOctets(as other: String) -> Bool {
        self.utf8.count == other.utf8.count && self == other && self.utf8.elementsEqual(other.utf8)
    }
}

extension STOMPHeaders: CustomStringConvertible {
    /// The headers for a log; the passcode is not shown.
    public var description: String {
        "[" + self.fields.map(\.description).joined(separator: ", ") + "]"
    }
}

extension STOMPHeaders.Field: CustomStringConvertible {
    /// The header for a log; a passcode is not shown.
    public var description: String {
        "\(self.name):\(self.name == .passcode ? "(hidden)" : self.value)"
    }
}
