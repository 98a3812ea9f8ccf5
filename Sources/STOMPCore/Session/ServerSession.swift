// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The broker's half of a session: what a client may send when.
///
/// No I/O, no clock.
package struct ServerSession: Sendable {
    /// What a received frame means.
    package enum Event: Sendable {
        /// CONNECT or STOMP: to be answered by ``accept(_:session:server:heartBeat:)`` or an ERROR.
        case connect(STOMPFrame, version: STOMPVersion)
        /// A well-formed frame of an open session.
        case request(STOMPFrame)
    }

    private enum State: Sendable {
        case waiting
        case connected(STOMPVersion)
        case disconnected
    }

    private let supported: Set<STOMPVersion>
    private var state = State.waiting

    package init(supported: Set<STOMPVersion> = Set(STOMPVersion.all)) {
        self.supported = supported
    }

    /// The version whose rules hold, once CONNECTED was sent.
    package var version: STOMPVersion? {
        if case .connected(let version) = self.state { version } else { nil }
    }

    /// A frame has come.
    ///
    /// - Throws: what the ERROR is to say, after which the connection is closed.
    package mutating func received(_ frame: STOMPFrame) throws(STOMPError) -> Event {
        switch self.state {
        case .disconnected:
            throw FrameValidator.violation("\(frame.command) came after DISCONNECT")
        case .waiting:
            guard frame.command == .connect || frame.command == .stomp else {
                throw FrameValidator.violation("\(frame.command) came before CONNECT")
            }
            return .connect(frame, version: try self.negotiate(frame))
        case .connected(let version):
            try self.check(frame, version: version)
            if frame.command == .disconnect { self.state = .disconnected }
            return .request(frame)
        }
    }

    /// The CONNECTED frame; from here on the session is open.
    package mutating func accept(
        _ version: STOMPVersion,
        session: String,
        server: String,
        heartBeat: HeartBeatHeader
    ) -> STOMPFrame {
        self.state = .connected(version)
        var headers: STOMPHeaders = [.session: session]
        if version > .v10 {
            headers.append(.version, version.description)
            headers.append(.server, server)
            headers.append(.heartBeat, heartBeat.description)
        }
        return STOMPFrame(.connected, headers: headers)
    }

    private func negotiate(_ frame: STOMPFrame) throws(STOMPError) -> STOMPVersion {
        let accepted = frame.headers[.acceptVersion]
        guard let version = STOMPVersion.negotiated(accepted: accepted, supported: self.supported) else {
            let list = STOMPVersion.acceptVersion(self.supported)
            throw STOMPError(
                .unsupportedVersion,
                "Supported protocol versions are \(list)",
                frame: STOMPFrame(.error, headers: [.version: list])
            )
        }
        if version > .v10, frame.headers[.host] == nil {
            throw FrameValidator.violation("CONNECT has no host header")
        }
        return version
    }

    private func check(_ frame: STOMPFrame, version: STOMPVersion) throws(STOMPError) {
        guard Self.requests.contains(frame.command), version > .v10 || frame.command != .nack else {
            throw FrameValidator.violation("\(frame.command) is not a client's frame in STOMP \(version)")
        }
        if let missing = FrameRequirements.missingHeader(in: frame, version: version) {
            throw FrameValidator.violation("\(frame.command) has no \(missing) header")
        }
        if frame.command == .unsubscribe, frame.headers[.id] == nil, frame.headers[.destination] == nil {
            throw FrameValidator.violation("UNSUBSCRIBE has neither id nor destination")
        }
        if !frame.body.isEmpty, !frame.command.allowsBody {
            throw FrameValidator.violation("\(frame.command) must not have a body")
        }
    }

    private static let requests: Set<STOMPCommand> = [
        .send, .subscribe, .unsubscribe, .ack, .nack, .begin, .commit, .abort, .disconnect,
    ]
}
