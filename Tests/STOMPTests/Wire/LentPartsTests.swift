// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

/// A SEND without a receipt is written from parts that the caller lends; else it is a request first.
@Suite("A SEND from lent parts")
struct LentPartsTests {
    private struct Parts {
        var destination: STOMPDestination = "/q"
        var body: [UInt8] = Array("hello".utf8)
        var contentType: STOMPContentType?
        var headers: STOMPHeaders = [:]
        var isCounted = true
        var version = STOMPVersion.v12

        func lent(to output: inout OutputBuffer) throws(STOMPError) {
            try self.body.withUnsafeBufferPointer { bytes throws(STOMPError) in
                try SendRequest.append(
                    UnsafeRawBufferPointer(bytes),
                    to: self.destination,
                    contentType: self.contentType,
                    headers: self.headers,
                    isCounted: self.isCounted,
                    transaction: nil,
                    receipt: nil,
                    output: &output,
                    serializer: FrameSerializer(version: self.version)
                )
            }
        }

        func requested(to output: inout OutputBuffer) throws(STOMPError) {
            try SendRequest(
                destination: self.destination,
                body: .bytes(self.body),
                contentType: self.contentType,
                headers: self.headers,
                contentLength: self.isCounted ? .included : .omitted
            )
            .append(
                to: &output,
                serializer: FrameSerializer(version: self.version),
                contentLength: .included,
                receipt: nil
            )
        }
    }

    /// The text that each way gives, or its error.
    private func outcomes(_ parts: Parts) -> [Result<String, STOMPError>] {
        [true, false].map { isLent in
            var output = OutputBuffer()
            output.append("before")
            do throws(STOMPError) {
                if isLent { try parts.lent(to: &output) } else { try parts.requested(to: &output) }
                return .success(String(decoding: output.bytes, as: UTF8.self))
            } catch {
                let rest = String(decoding: output.bytes, as: UTF8.self)
                #expect(rest == "before", "Nothing of a refused frame stays.")
                return .failure(error)
            }
        }
    }

    private func expectFrame(_ text: String?, _ parts: Parts, sourceLocation: SourceLocation = #_sourceLocation) {
        for outcome in self.outcomes(parts) {
            switch outcome {
            case .success(let written): #expect(written == text.map { "before" + $0 }, sourceLocation: sourceLocation)
            case .failure(let error):
                #expect(text == nil && error.code == .invalidArgument, sourceLocation: sourceLocation)
            }
        }
    }

    @Test("Both ways give the same bytes")
    func same() {
        self.expectFrame("SEND\ndestination:/q\ncontent-length:5\n\nhello\0", Parts())
        self.expectFrame("SEND\ndestination:/q\n\nhello\0", Parts(isCounted: false))
        self.expectFrame("SEND\ndestination:/q\ncontent-length:0\n\n\0", Parts(body: []))
        self.expectFrame("SEND\ndestination:/q\n\n\0", Parts(body: [], isCounted: false))
        self.expectFrame("SEND\ndestination:/q\ncontent-length:3\n\na\0b\0", Parts(body: [97, 0, 98]))
        self.expectFrame(
            "SEND\ndestination:/a\\cb\ncontent-type:text/plain\nx\\c:\\\\y\ncontent-length:5\n\nhello\0",
            Parts(destination: "/a:b", contentType: .plainText, headers: ["x:": "\\y"])
        )
        self.expectFrame(
            "SEND\ndestination:/a:b\ncontent-type:text/plain\nx:\\y\ncontent-length:5\n\nhello\0",
            Parts(destination: "/a:b", contentType: .plainText, headers: ["x": "\\y"], version: .v10)
        )
    }

    @Test("Whatever is refused leaves nothing of the frame behind, however late it is found")
    func refused() {
        self.expectFrame(nil, Parts(destination: ""))
        self.expectFrame(nil, Parts(destination: "/a\0"))
        self.expectFrame(nil, Parts(destination: "/é", version: .v10))
        self.expectFrame(nil, Parts(contentType: "no type"))
        self.expectFrame(nil, Parts(headers: ["a": "b", "": "c"]))
        self.expectFrame(nil, Parts(headers: ["a": "b", "c": "\0"]))
        self.expectFrame(nil, Parts(headers: ["a": "b", "c": ""], version: .v10))
        for name in ["destination", "content-length", "content-type", "receipt", "transaction"] {
            self.expectFrame(nil, Parts(headers: ["a": "b", STOMPHeaders.Name(name): "x"]))
        }
        self.expectFrame(nil, Parts(body: [97, 0], isCounted: false))
    }

    @Test("Large and small texts, with and without characters beyond ASCII", .timeLimit(.minutes(5)))
    func texts() async throws {
        try await ConnectedPair.with { pair in
            for count in [0, 1, 7, 8, 15, 16, 100, 70_000] {
                for character in ["x", "é", "\u{1F511}"] {
                    let text = String(repeating: character, count: count)
                    async let frame = pair.peer.receiveFrame()
                    try await pair.connection.send(text, to: "/q")
                    #expect(
                        try await frame
                            == "SEND\ndestination:/q\ncontent-type:text/plain\n"
                            + "content-length:\(text.utf8.count)\n\n\(text)\0"
                    )
                    async let second = pair.peer.receiveFrame()
                    try await pair.connection.send(
                        Array(text.utf8),
                        to: "/q",
                        contentType: nil,
                        contentLength: .omitted
                    )
                    #expect(try await second == "SEND\ndestination:/q\n\n\(text)\0")
                }
            }
        }
    }
}
