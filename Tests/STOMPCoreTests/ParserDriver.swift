// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// The bytes of a text, as they stand on the wire, where `\0` is the NUL that ends a frame.
func wire(_ text: String) -> [UInt8] {
    Array(text.utf8)
}

/// How a stream of bytes is cut into reads, and in which chunks it lies.
struct Feeding: Sendable, CustomStringConvertible {
    /// The sizes of the reads, over and over; the whole rest at once if there are none.
    var sizes: [Int] = []
    /// After how many bytes one read ends, whatever the sizes say.
    var cut: Int?
    var chunkCapacity = 128 * 1024
    /// Whether each frame's chunk is kept, so that none can be used again; else each frame is decoded at once.
    var keepsChunks = false

    static let whole = Feeding()
    static let byteByByte = Feeding(sizes: [1])

    var description: String {
        let cut = self.cut.map { ", cut at \($0)" } ?? ""
        return "reads \(self.sizes)\(cut), chunks of \(self.chunkCapacity)\(self.keepsChunks ? ", kept" : "")"
    }
}

/// What came out of a stream of bytes.
struct Parsed: Equatable {
    var frames: [STOMPFrame] = []
    var failure: STOMPError.Code?
    /// EOLs between frames.
    var endOfLineCount = 0
    var hasPartialFrame = false
}

/// A parser and its reader: the bytes go the way that a connection's reader sends them.
struct ParserDriver: ~Copyable {
    var parser: FrameParser
    var parsed = Parsed()
    /// How many bytes were taken before the failure or the end.
    private(set) var consumed = 0
    /// The most room that the parser held at once.
    private(set) var largestChunk = 0
    private var kept: [(chunk: ByteChunk, frame: FrameReference)] = []
    private let feeding: Feeding

    init(
        version: STOMPVersion = .v12,
        leniency: STOMPLeniency = .lenient,
        limits: STOMPLimits = STOMPLimits(),
        feeding: Feeding = .whole
    ) {
        self.feeding = feeding
        let pool = ChunkPool(chunkCapacity: feeding.chunkCapacity, freeLimit: 4)
        self.parser = FrameParser(version: version, limits: limits, leniency: leniency, pool: pool)
    }

    mutating func feed(_ bytes: [UInt8]) {
        var turn = 0
        var position = 0
        while position < bytes.count, self.parsed.failure == nil {
            var size = bytes.count - position
            if !self.feeding.sizes.isEmpty { size = min(size, self.feeding.sizes[turn % self.feeding.sizes.count]) }
            if let cut = self.feeding.cut, position < cut { size = min(size, cut - position) }
            turn += 1
            let room = self.parser.freeSpace()
            precondition(!room.isEmpty, "a reader without room would take the read of nothing for the end")
            size = min(size, room.count)
            bytes[position..<position + size].withUnsafeBytes { room.copyMemory(from: $0) }
            // What lies behind the bytes that were read must not matter: let it look like the end of everything.
            for offset in size..<min(size + 80, room.count) { room[offset] = [0x0a, 0x00, 0x3a, 0x0a][offset % 4] }
            self.parser.received(size)
            position += size
            self.consumed += size
            self.takeFrames()
            self.largestChunk = max(self.largestChunk, self.parser.chunk.capacity)
        }
        self.parsed.endOfLineCount = self.parser.endOfLineCount
        self.parsed.hasPartialFrame = self.parser.hasPartialFrame
    }

    private mutating func takeFrames() {
        do throws(STOMPError) {
            while let frame = try self.parser.next() {
                if self.feeding.keepsChunks { self.kept.append((self.parser.chunk, frame)) }
                self.parsed.frames.append(self.decoded(frame, in: self.parser.chunk))
            }
        } catch {
            self.parsed.failure = error.code
        }
    }

    private func decoded(_ frame: FrameReference, in chunk: ByteChunk) -> STOMPFrame {
        chunk.decoded(frame, version: self.parser.version, leniency: self.parser.leniency)
    }

    /// The kept frames, decoded only now: their bytes must not have been written over.
    func decodedLate() -> [STOMPFrame] {
        self.kept.map { self.decoded($0.frame, in: $0.chunk) }
    }
}

/// Feeds the bytes to a new parser.
func parse(
    _ bytes: [UInt8],
    version: STOMPVersion = .v12,
    leniency: STOMPLeniency = .lenient,
    limits: STOMPLimits = STOMPLimits(),
    feeding: Feeding = .whole
) -> Parsed {
    var driver = ParserDriver(version: version, leniency: leniency, limits: limits, feeding: feeding)
    driver.feed(bytes)
    if feeding.keepsChunks, driver.decodedLate() != driver.parsed.frames {
        preconditionFailure("bytes of a frame that was handed out have changed (\(feeding))")
    }
    return driver.parsed
}

func parse(
    _ text: String,
    version: STOMPVersion = .v12,
    leniency: STOMPLeniency = .lenient,
    limits: STOMPLimits = STOMPLimits(),
    feeding: Feeding = .whole
) -> Parsed {
    parse(wire(text), version: version, leniency: leniency, limits: limits, feeding: feeding)
}

/// The wire form of one frame by the library's serializer.
func serialize(_ frame: STOMPFrame, version: STOMPVersion = .v12) throws(STOMPError) -> [UInt8] {
    var output = OutputBuffer()
    try FrameSerializer(version: version).append(frame, to: &output)
    return Array(output.bytes)
}

/// The code of the error that a call throws.
func failure<Result>(_ body: () throws(STOMPError) -> Result) -> STOMPError.Code? {
    do throws(STOMPError) {
        _ = try body()
        return nil
    } catch {
        return error.code
    }
}
