// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What the two sides agreed on when the session was opened.
public struct STOMPSessionInfo: Sendable {
    /// The version whose rules hold.
    public let version: STOMPVersion
    /// The broker's name for the session, if it gave one.
    public let sessionID: String?
    /// The `server` header, such as `RabbitMQ/3.10.8`, if the broker sent it.
    public let serverDescription: String?
    /// How often we promised to send something; `nil`: no promise.
    public let outgoingHeartBeat: Duration?
    /// How often the broker promised to send something; `nil`: no promise.
    public let incomingHeartBeat: Duration?
    /// All headers of CONNECTED.
    public let headers: STOMPHeaders

    package var schedule: HeartBeatSchedule {
        HeartBeatSchedule(outgoing: self.outgoingHeartBeat, incoming: self.incomingHeartBeat)
    }
}

/// The client's half of a session: what may come when, and what it means.
///
/// No I/O, no clock.
package struct ClientSession: Sendable {
    /// What CONNECT says.
    package struct Offer: Sendable {
        package var versions: Set<STOMPVersion> = Set(STOMPVersion.all)
        package var command = STOMPCommand.connect
        package var virtualHost: String?
        package var login: String?
        package var passcode: String?
        package var heartBeat = HeartBeatHeader.none
        package var headers: STOMPHeaders = [:]

        package init() {}
    }

    /// What a received frame means.
    package enum Event: Sendable {
        case connected(STOMPSessionInfo)
        /// The broker answered CONNECT with an ERROR.
        case refused(STOMPError)
        case receipt(id: String)
        /// It names a frame or a subscription of ours, perhaps: the driver knows whether that is still pending.
        case error(STOMPFrame, receiptID: String?, subscriptionID: String?)
        /// Nothing that this version knows.
        case unknown(STOMPFrame)
    }

    private enum State: Sendable {
        case idle
        case connecting
        case connected(STOMPVersion)
    }

    private let offer: Offer
    private let leniency: STOMPLeniency
    private var state = State.idle

    package init(offer: Offer, leniency: STOMPLeniency) {
        self.offer = offer
        self.leniency = leniency
    }

    /// The CONNECT frame.
    ///
    /// The session's own headers come first, since the first of a repeated header counts.
    package mutating func connect() -> STOMPFrame {
        self.state = .connecting
        var headers = STOMPHeaders()
        if self.offer.versions != [.v10] {
            headers.append(.acceptVersion, STOMPVersion.acceptVersion(self.offer.versions))
        }
        if let host = self.offer.virtualHost { headers.append(.host, host) }
        if let login = self.offer.login { headers.append(.login, login) }
        if let passcode = self.offer.passcode { headers.append(.passcode, passcode) }
        if self.offer.versions != [.v10], self.offer.heartBeat != .none {
            headers.append(.heartBeat, self.offer.heartBeat.description)
        }
        var extra = self.offer.headers
        // CONNECT takes no receipt (STOMP 1.2, receipt); ActiveMQ would answer it inside CONNECTED.
        extra[.receipt] = nil
        // Where these are left out, nothing is offered that could be kept.
        extra[.acceptVersion] = nil
        extra[.heartBeat] = nil
        headers.appendMissing(from: extra)
        return STOMPFrame(self.offer.command, headers: headers)
    }

    /// A frame other than MESSAGE has come.
    ///
    /// - Throws: ``STOMPError/Code/protocolViolation`` or ``STOMPError/Code/unsupportedVersion``: the connection is of
    ///   no use.
    package mutating func received(_ frame: STOMPFrame) throws(STOMPError) -> Event {
        guard case .connected(let version) = self.state else { return try self.receivedFirst(frame) }
        switch frame.command {
        case .receipt:
            guard let id = frame.headers[.receiptID] else {
                throw FrameValidator.violation("a RECEIPT has no receipt-id")
            }
            return .receipt(id: id)
        case .error:
            return .error(
                frame,
                receiptID: frame.headers[.receiptID],
                subscriptionID: frame.headers[.subscription]
            )
        case .connected:
            throw FrameValidator.violation("a second CONNECTED came")
        default:
            guard self.leniency.contains(.unknownCommand) else {
                throw FrameValidator.violation("\(frame.command) is not a server's frame in STOMP \(version)")
            }
            return .unknown(frame)
        }
    }

    private mutating func receivedFirst(_ frame: STOMPFrame) throws(STOMPError) -> Event {
        switch frame.command {
        case .error:
            return .refused(Self.refusal(frame, versions: self.offer.versions))
        case .connected:
            let info = try self.sessionInfo(from: frame)
            self.state = .connected(info.version)
            return .connected(info)
        default:
            throw FrameValidator.violation("\(frame.command) came before CONNECTED")
        }
    }

    private func sessionInfo(from frame: STOMPFrame) throws(STOMPError) -> STOMPSessionInfo {
        let text = frame.headers[.version]
        // Without the header it is 1.0.
        guard let version = text.map({ STOMPVersion($0) }) ?? .v10, self.offer.versions.contains(version) else {
            throw STOMPError(
                .unsupportedVersion,
                "The broker chose STOMP \(text ?? "1.0"), which was not offered. Offer it, or use another broker.",
                frame: frame
            )
        }
        let peer = try HeartBeatHeader(frame.headers[.heartBeat], leniency: self.leniency)
        let schedule = HeartBeatSchedule(own: self.offer.heartBeat, peer: peer, version: version)
        return STOMPSessionInfo(
            version: version,
            sessionID: frame.headers[.session],
            serverDescription: frame.headers[.server],
            outgoingHeartBeat: schedule.outgoing,
            incomingHeartBeat: schedule.incoming,
            headers: frame.headers
        )
    }

    private static func refusal(_ frame: STOMPFrame, versions: Set<STOMPVersion>) -> STOMPError {
        // RabbitMQ and ActiveMQ list their versions when no version is common.
        if let listed = frame.headers[.version], frame.headers[.message]?.contains("ersion") == true,
            STOMPVersion.negotiated(accepted: listed, supported: versions) == nil
        {
            return STOMPError(
                .unsupportedVersion,
                "The broker speaks STOMP \(listed) and none of what was offered.",
                frame: frame
            )
        }
        return STOMPError(.connectRefused, "The broker refused the connection: \(frame.errorText)", frame: frame)
    }
}

extension STOMPFrame {
    /// What an ERROR says, in one line: its `message` header, or the beginning of its body.
    package var errorText: String {
        let header = self.headers[.message] ?? ""
        let firstLine = self.body.split(separator: UInt8(ascii: "\n"), maxSplits: 1).first ?? []
        let body = String(decoding: firstLine.prefix(200), as: UTF8.self)
        switch (header.isEmpty, body.isEmpty) {
        case (true, true): return "(no reason given)"
        case (true, false): return body
        case (false, true): return header
        case (false, false): return "\(header) (\(body))"
        }
    }
}
