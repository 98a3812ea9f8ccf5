// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport

/// From an open transport to an open session: CONNECT goes out, CONNECTED comes back (STOMP 1.2, Connecting).
///
/// Nothing else is written in between, not even a heart-beat.
struct Handshake: ~Copyable {
    let transport: any ByteTransport
    var parser: FrameParser
    var session: ClientSession

    init(transport: any ByteTransport, server: STOMPServer, configuration: STOMPConfiguration) {
        self.transport = transport
        // Until CONNECTED the most tolerant line ends hold, since the version is not known.
        self.parser = FrameParser(version: .v12, limits: configuration.limits, leniency: configuration.leniency)
        var offer = ClientSession.Offer()
        offer.versions = configuration.versions
        offer.command = configuration.connectCommand
        offer.virtualHost = server.virtualHost
        offer.login = server.login?.login
        offer.passcode = server.login?.passcode
        offer.heartBeat = configuration.heartBeat.header
        offer.headers = server.headers
        offer.headers.appendMissing(from: configuration.connectHeaders)
        self.session = ClientSession(offer: offer, leniency: configuration.leniency)
    }

    /// - Throws: ``STOMPError/Code/connectRefused``, ``STOMPError/Code/unsupportedVersion``,
    ///   ``STOMPError/Code/connectFailed``, ``STOMPError/Code/tlsFailed``, ``STOMPError/Code/protocolViolation`` or that the
    ///   task was cancelled.
    mutating func run() async throws(STOMPError) -> STOMPSessionInfo {
        do throws(STOMPError) {
            var output = OutputBuffer()
            try FrameSerializer(version: .v12).append(self.session.connect(), to: &output)
            try await self.write(output)
            return try await self.readAnswer()
        } catch {
            // In TLS 1.3 a server looks at the client's certificate when the client has done its part already.
            guard let cause = error.cause as? TransportError, cause.kind == .tlsFailed else { throw error }
            throw STOMPError(.tlsFailed, cause.message, cause: cause)
        }
    }

    private mutating func write(_ output: borrowing OutputBuffer) async throws(STOMPError) {
        do throws(STOMPError) {
            try await self.transport.writeAll(output)
        } catch {
            // Whoever has closed may have said why.
            if error.code == .connectionLost { _ = try self.transport.receive(into: self.parser.freeSpace()) }
            throw error
        }
    }

    private mutating func readAnswer() async throws(STOMPError) -> STOMPSessionInfo {
        while true {
            let space = self.parser.freeSpace()
            switch try self.transport.receive(into: space) {
            case .bytes(let count):
                try self.checkAnswer(space[..<count])
                self.parser.received(count)
                if let info = try self.takeAnswer() { return info }
                // A peer that never stops sending must not outlast the deadline.
                await Task.yield()
                if Task.isCancelled { throw .cancelled }
            case .wouldBlock:
                await self.transport.waitUntilReadable()
                if Task.isCancelled { throw .cancelled }
            case .endOfStream:
                throw STOMPError(
                    .connectFailed,
                    "\(self.transport.peerDescription) closed the connection before CONNECTED. Is it a STOMP port?"
                )
            }
        }
    }

    /// A TLS port answers to plain STOMP with an alert, a record of type 21.
    private func checkAnswer(_ bytes: Slice<UnsafeMutableRawBufferPointer>) throws(STOMPError) {
        guard bytes.first == 0x15, bytes.count < 2 || bytes[1] == 0x03 else { return }
        throw STOMPError(
            .tlsFailed,
            "\(self.transport.peerDescription) answered CONNECT with an alert of TLS: it is a TLS port. Use stomp+ssl:// "
                + "(STOMPEndpoint.tls), or the broker's port for plain STOMP."
        )
    }

    private mutating func takeAnswer() throws(STOMPError) -> STOMPSessionInfo? {
        guard let reference = try self.parser.next() else { return nil }
        let leniency = self.parser.leniency
        let frame = self.parser.chunk.decoded(reference, version: self.parser.version, leniency: leniency)
        switch try self.session.received(frame) {
        case .connected(let info):
            self.parser.version = info.version
            return info
        case .refused(let error):
            throw error
        default:
            throw STOMPError(.protocolViolation, "The broker answered CONNECT with \(frame.command).", frame: frame)
        }
    }
}
