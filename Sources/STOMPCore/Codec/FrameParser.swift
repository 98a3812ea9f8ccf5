// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import CScan

/// Finds frames in a stream of bytes, however the stream is cut: bytes in, references to frames out.
///
/// The bytes are read straight into ``freeSpace()`` of a shared chunk; a frame that is complete stays there and is
/// only referred to. Each byte is looked at once: the state of a frame under way is kept, relative to its start.
/// STOMP 1.2, STOMP Frames and Augmented BNF.
package struct FrameParser: ~Copyable {
    private enum Phase {
        case between, headers, body
    }

    package let limits: STOMPLimits
    package let leniency: STOMPLeniency
    /// Whose rules hold from the next frame on.
    package var version: STOMPVersion {
        didSet { self.layout.forget() }
    }
    /// Where the frames returned by ``next()`` lie, until ``freeSpace()`` is called.
    package private(set) var chunk: ByteChunk
    /// How many EOLs stood between frames: heart-beats, or padding.
    package private(set) var endOfLineCount = 0

    private let pool: ChunkPool
    private var start = 0
    private var end = 0
    private var phase = Phase.between
    private var failure: STOMPError?
    // The frame under way; offsets from `start`.
    private var scanned = 0, line = 0
    private var colonSeen = false
    private var headerCount = 0
    private var bodyStart = 0
    private var contentLength = -1
    private var found = FrameReference()
    /// Where the digits of the content-length are, or 0.
    private var lengthStart = 0
    /// Whether the content-length is nothing but digits.
    private var isPlain = true
    private var layout = HeaderLayout()
    /// How much room there was for the last read.
    private var offered = 0
    /// Whether that was filled, so that larger chunks pay.
    package var isFlooded = false
    /// Whether it may take larger chunks from the pool, of which each counts as a whole.
    package var takesLargerChunks = true
    /// How large the last frame was, if it was large.
    private var lastLarge = 0

    package init(
        version: STOMPVersion,
        limits: STOMPLimits = STOMPLimits(),
        leniency: STOMPLeniency = .lenient,
        pool: ChunkPool = .shared
    ) {
        self.version = version
        self.limits = limits.fittingChunks
        self.leniency = leniency
        self.pool = pool
        self.chunk = Self.noChunk
    }

    /// Whether a frame has begun and is not complete.
    package var hasPartialFrame: Bool { self.phase != .between }

    /// Whether the rest of a frame is on its way, and it does no harm to wait for that.
    package var expectsMore: Bool { self.hasPartialFrame && self.takesLargerChunks }

    /// Whether the last frame was a large one.
    package var hasLargeFrames: Bool { self.lastLarge > 0 }

    // MARK: - Room for bytes

    /// How large the next frame is likely to be, if that is large, and fits into a chunk.
    private var expected: Int { self.lastLarge <= self.pool.chunkCapacity ? self.lastLarge : 0 }

    private static let noChunk = ByteChunk(capacity: 0)
    /// Reading into less room than this is not worth a system call.
    private static let leastRoom = 4 * 1024
    /// From this size on it pays to read whole frames, with the EOL after it and a few bytes for one that is larger.
    private static let largeFrame = 16 * 1024, slack = 64
    /// Doubling ends here, so that offsets in the largest chunk stay below 32 bits.
    private static let mostGrowth = 256 * 1024 * 1024

    /// Where the next bytes are to be read; what is read is then announced by ``received(_:)``.
    package mutating func freeSpace() -> UnsafeMutableRawBufferPointer {
        if self.start == self.end, self.chunk.capacity > 0 {
            if !self.chunk.isRecycled {
                // It was made for one large frame.
                self.releaseChunk()
            } else if isKnownUniquelyReferenced(&self.chunk) {
                self.start = 0
                self.end = 0
            }
        }
        let partial = self.end - self.start
        // A content-length is of use only after the blank line, since only then the body's place is known.
        let isLengthKnown = self.phase == .body && self.contentLength >= 0
        let total = isLengthKnown ? self.bodyStart + self.contentLength + 1 : partial + Self.leastRoom
        let needed = max(total, partial + 1)
        let likely = isLengthKnown ? needed : max(needed, self.expected)
        if self.start + likely > self.chunk.capacity {
            let growth = isLengthKnown ? 0 : min(partial, Self.mostGrowth)
            self.moveToNewChunk(holding: max(likely, partial + growth))
        }
        var room = self.chunk.capacity - self.end
        if self.expected > 0, isLengthKnown || partial < self.expected {
            // What belongs to a large frame that has no room here would have to be moved.
            let more = (self.chunk.capacity - self.start - likely) / self.expected * self.expected
            room = min(room, likely + more - partial + Self.slack)
        }
        self.offered = room
        return UnsafeMutableRawBufferPointer(start: self.chunk.base + self.end, count: room)
    }

    private mutating func moveToNewChunk(holding byteCount: Int) {
        // A larger chunk is for many frames: one frame that needs it would keep more than its size.
        let isFlooded = self.isFlooded && self.takesLargerChunks && byteCount <= self.pool.chunkCapacity
        let pool = isFlooded ? self.pool.larger ?? self.pool : self.pool
        let new = byteCount <= pool.chunkCapacity ? pool.take() : ByteChunk(capacity: byteCount)
        let partial = self.end - self.start
        new.base.copyMemory(from: self.chunk.base + self.start, byteCount: partial)
        self.chunk = new
        self.start = 0
        self.end = partial
    }

    /// `count` bytes have been read into ``freeSpace()``.
    package mutating func received(_ count: Int) {
        self.end += count
        self.isFlooded = count == self.offered
    }

    /// Lets go of the chunk when no frame is under way: an idle connection holds none.
    package mutating func releaseChunk() {
        guard self.start == self.end else { return }
        self.chunk = Self.noChunk
        self.start = 0
        self.end = 0
    }

    // MARK: - Frames

    /// The next complete frame, or `nil` if that needs more bytes.
    ///
    /// - Throws: ``STOMPError/Code/protocolViolation`` or the error of a limit; from then on always the same.
    package mutating func next() throws(STOMPError) -> FrameReference? {
        if let failure = self.failure { throw failure }
        if let frame = self.nextAlike() { return frame }
        do throws(STOMPError) {
            if self.phase == .between {
                guard try self.skipBetweenFrames() else { return nil }
                self.begin()
            }
            if self.phase == .headers, try !self.scanHeaders() { return nil }
            return try self.completeFrame()
        } catch {
            self.failure = error
            throw error
        }
    }

    /// Returns whether a frame begins.
    private mutating func skipBetweenFrames() throws(STOMPError) -> Bool {
        while self.start < self.end {
            switch self.chunk.base.load(fromByteOffset: self.start, as: UInt8.self) {
            case UInt8(ascii: "\n"):
                self.endOfLineCount &+= 1
            case UInt8(ascii: "\r"):
                guard self.leniency.contains(.strayCarriageReturn) else {
                    // Strictly, a CR is the first half of an EOL, and of 1.2's only.
                    guard self.start + 1 < self.end else { return false }
                    let next = self.chunk.base.load(fromByteOffset: self.start + 1, as: UInt8.self)
                    guard self.version == .v12, next == UInt8(ascii: "\n") else {
                        throw FrameValidator.violation("a CR stands between frames")
                    }
                    break
                }
            case 0:
                guard self.leniency.contains(.strayNUL) else {
                    throw FrameValidator.violation("a NUL stands between frames")
                }
            default:
                return true
            }
            self.start += 1
        }
        return false
    }

    private mutating func begin() {
        self.phase = .headers
        self.scanned = 0
        self.line = 0
        self.colonSeen = false
        self.headerCount = 0
        self.contentLength = -1
        self.lengthStart = 0
        self.isPlain = true
        self.found = FrameReference()
    }

    /// The next frame, if it is complete and its headers are laid out as the last ones were; all else is for others.
    @inline(__always)
    private mutating func nextAlike() -> FrameReference? {
        guard self.layout.byteCount > 0, self.phase == .between, self.leniency == .lenient else { return nil }
        // What most brokers send between frames.
        while self.start < self.end,
            self.chunk.base.load(fromByteOffset: self.start, as: UInt8.self) == UInt8(ascii: "\n")
        {
            self.start &+= 1
            self.endOfLineCount &+= 1
        }
        let bytes = UnsafeRawPointer(self.chunk.base)
        let frame = self.layout.frame(in: bytes, self.start..<self.end, bodyLimit: self.limits.bodyLimit)
        guard let frame else { return nil }
        self.complete(frame.byteCount)
        return frame
    }

    /// Looks at the bytes up to the blank line, 64 at a time, and returns whether that was reached.
    private mutating func scanHeaders() throws(STOMPError) -> Bool {
        let base = UnsafeRawPointer(self.chunk.base) + self.start
        let available = self.end - self.start
        var position = self.scanned
        var line = self.line
        var colonSeen = self.colonSeen
        while position < available {
            // The chunk is padded, so that this may read past the end; what lies there is masked off.
            let masks = stomp_scan64(base + position)
            let count = available - position
            let valid = count >= 64 ? UInt64.max : (UInt64(1) << UInt64(count)) &- 1
            var lineFeeds = masks.line_feeds & valid
            var colons = masks.colons & valid
            let nuls = masks.nuls & valid
            while lineFeeds != 0 {
                let bit = lineFeeds.trailingZeroBitCount
                let below = (UInt64(1) << UInt64(bit)) &- 1
                if nuls & below != 0 { throw Self.nulInHeader }
                let lineEnd = position &+ bit
                if lineEnd == line || self.isBlank(base, line, lineEnd) {
                    try self.endHeaders(base, at: lineEnd, line: line)
                    return true
                }
                try self.note(base, line, lineEnd, hasColon: colonSeen || colons & below != 0)
                colonSeen = false
                colons &= ~below
                line = lineEnd &+ 1
                lineFeeds &= lineFeeds &- 1
            }
            if nuls != 0 { throw Self.nulInHeader }
            if colons != 0 { colonSeen = true }
            position = min(position &+ 64, available)
            if position &- line > self.limits.headerLineLimit || position > self.limits.headerBlockLimit {
                try self.limits.checkHeaders(lineByteCount: position - line, blockByteCount: position)
            }
        }
        self.scanned = position
        self.line = line
        self.colonSeen = colonSeen
        return false
    }

    private static let nulInHeader = FrameValidator.violation("a NUL stands before the blank line of a frame")

    /// Whether the line is a CR only, where that is an EOL.
    ///
    /// `mutating`, as others that change nothing: for a call that borrows, the compiler copies the parser.
    @inline(__always)
    private mutating func isBlank(_ base: UnsafeRawPointer, _ line: Int, _ end: Int) -> Bool {
        end &- line == 1 && base.load(fromByteOffset: line, as: UInt8.self) == UInt8(ascii: "\r")
            && (self.version == .v12 || self.leniency.contains(.strayCarriageReturn))
    }

    /// Takes note of the command line, or of a header line that matters to us.
    @inline(__always)
    private mutating func note(
        _ base: UnsafeRawPointer,
        _ line: Int,
        _ end: Int,
        hasColon: Bool
    ) throws(STOMPError) {
        guard line > 0 else { return try self.noteCommand(base, end) }
        if end &- line > self.limits.headerLineLimit {
            try self.limits.checkHeaders(lineByteCount: end - line, blockByteCount: end)
        }
        guard hasColon else { throw FrameValidator.violation("a header line has no colon") }
        self.headerCount &+= 1
        if self.headerCount > self.limits.headerCountLimit {
            throw self.limits.tooManyHeaders
        }
        // The chunk's padding makes these loads safe at its end; a colon inside the name ends each match.
        let first = (base + line).loadUnaligned(as: UInt64.self)
        let second = (base + line + 8).loadUnaligned(as: UInt64.self)
        if base.load(fromByteOffset: line, as: UInt8.self) == UInt8(ascii: ":") {
            throw FrameValidator.violation("a header has no name")
        } else if first == Words.content, second & Words.seven == Words.length {
            if self.contentLength < 0 { try self.noteContentLength(base, line + 15, end) }
        } else if first == Words.subscrip, second & Words.five == Words.tion {
            if !self.found.subscription.isNoted {
                self.found.subscription.noteFirst(from: line + 13, to: end)
                self.found.subscriptionNumber = base.number(from: line + 13, to: end) ?? 0
            }
        } else if second & Words.three == Words.id,
            first == (self.found.kind == .receipt ? Words.receipt : Words.message)
        {
            self.found.messageID.noteFirst(from: line + 11, to: end)
        } else if (base + line).loadUnaligned(as: UInt32.self) == Words.ack {
            self.found.ack.noteFirst(from: line + 4, to: end)
        }
    }

    private mutating func noteCommand(_ base: UnsafeRawPointer, _ end: Int) throws(STOMPError) {
        try self.limits.checkHeaders(lineByteCount: end, blockByteCount: end)
        var count = end
        if base.load(fromByteOffset: end - 1, as: UInt8.self) == UInt8(ascii: "\r") {
            guard self.version == .v12 || self.leniency.contains(.strayCarriageReturn) else {
                throw FrameValidator.violation("a CR ends the command line before STOMP 1.2")
            }
            count -= 1
        }
        self.found.kind = FrameReference.Kind(command: base, byteCount: count)
    }

    private mutating func noteContentLength(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) throws(STOMPError) {
        // The usual case; all else, and what is wrong, is looked at closely.
        let length: Int
        if let number = base.number(from: start, to: end) {
            length = Int(number)
            self.lengthStart = start
        } else {
            self.isPlain = false
            let text = UnsafeRawBufferPointer(start: base + start, count: end - start)
            let rules = HeaderRules(version: self.version, leniency: self.leniency)
            guard let number = try rules.contentLength(text, limit: self.limits.bodyLimit) else { return }
            length = number
        }
        if length > self.limits.bodyLimit { throw self.limits.bodyTooLarge }
        self.contentLength = length
    }

    private mutating func endHeaders(_ base: UnsafeRawPointer, at end: Int, line: Int) throws(STOMPError) {
        try self.limits.checkHeaders(lineByteCount: end - line, blockByteCount: end + 1)
        if self.isPlain {
            self.layout.note(base, byteCount: end + 1, frame: self.found, contentLength: self.lengthStart)
        }
        self.bodyStart = end + 1
        self.scanned = end + 1
        self.phase = .body
    }

    /// Looks for the end of the body and, if it is there, makes the frame.
    private mutating func completeFrame() throws(STOMPError) -> FrameReference? {
        let base = UnsafeRawPointer(self.chunk.base) + self.start
        let available = self.end - self.start
        let length: Int
        if self.contentLength >= 0 {
            length = self.contentLength
            guard available > self.bodyStart + length else { return nil }
            guard base.load(fromByteOffset: self.bodyStart + length, as: UInt8.self) == 0 else {
                throw FrameValidator.violation("no NUL follows a body of content-length \(length)")
            }
        } else {
            let unseen = available - self.scanned
            let found = unseen > 0 ? stomp_find(base + self.scanned, 0, unseen) : nil
            length = (found.map { UnsafeRawPointer($0) - base } ?? available) - self.bodyStart
            if length > self.limits.bodyLimit { throw self.limits.bodyTooLarge }
            guard found != nil else {
                self.scanned = available
                return nil
            }
        }
        var frame = self.found
        frame.start = UInt32(truncatingIfNeeded: self.start)
        frame.bodyStart = UInt32(truncatingIfNeeded: self.start + self.bodyStart)
        frame.bodyByteCount = UInt32(truncatingIfNeeded: length)
        if self.leniency != .lenient { try self.validate(frame) }
        let byteCount = self.bodyStart + length + 1
        self.complete(byteCount)
        self.phase = .between
        self.contentLength = -1
        return frame
    }

    @inline(__always)
    private mutating func complete(_ byteCount: Int) {
        self.lastLarge = byteCount >= Self.largeFrame ? byteCount : 0
        self.start &+= byteCount
    }

    private mutating func validate(_ frame: FrameReference) throws(STOMPError) {
        var rules = HeaderRules(version: self.version, leniency: self.leniency)
        rules.isHandshake = self.chunk.headerBlock(of: frame, rules: rules).command.isHandshake
        let block = self.chunk.headerBlock(of: frame, rules: rules)
        try FrameValidator(rules: rules).check(block, bodyByteCount: Int(frame.bodyByteCount))
    }
}
