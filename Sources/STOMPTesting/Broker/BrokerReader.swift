// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// What the bytes of one read mean: parser, session and the decision who may connect, without I/O.
struct BrokerReader: ~Copyable {
    /// A client was let in.
    struct Opening: Sendable {
        let connect: STOMPFrame
        let connected: STOMPFrame
        let version: STOMPVersion
        let schedule: HeartBeatSchedule
    }

    /// To be done in this order.
    struct Step: Sendable {
        var opening: Opening?
        var requests: [STOMPFrame] = []
        /// The end of the session, if it has come to that, and the frame that is at fault.
        var refusal: BrokerRefusal?
        var refused: STOMPFrame?
    }

    private let configuration: STOMPBroker.Configuration
    private let connection: UInt64
    private var parser: FrameParser
    private var session: ServerSession

    init(_ configuration: STOMPBroker.Configuration, connection: UInt64) {
        self.configuration = configuration
        self.connection = connection
        // Until the versions are negotiated: either kind of line end.
        self.parser = FrameParser(version: .v12, limits: configuration.limits, leniency: configuration.leniency)
        self.session = ServerSession(supported: configuration.versions)
    }

    mutating func freeSpace() -> UnsafeMutableRawBufferPointer {
        self.parser.freeSpace()
    }

    mutating func releaseMemory() {
        self.parser.releaseChunk()
    }

    mutating func received(_ count: Int) -> Step {
        self.parser.received(count)
        var step = Step()
        do throws(STOMPError) {
            while step.refusal == nil, let reference = try self.parser.next() {
                let frame = self.parser.chunk.decoded(
                    reference,
                    version: self.parser.version,
                    leniency: self.configuration.leniency
                )
                self.add(frame, to: &step)
            }
        } catch {
            step.refusal = BrokerRefusal(error)
        }
        return step
    }

    private mutating func add(_ frame: STOMPFrame, to step: inout Step) {
        do throws(BrokerRefusal) {
            switch try self.meaning(of: frame) {
            case .connect(let connect, let version): step.opening = try self.open(connect, version)
            case .request(let request): step.requests.append(request)
            }
        } catch {
            step.refusal = error
            step.refused = frame
        }
    }

    private mutating func meaning(of frame: STOMPFrame) throws(BrokerRefusal) -> ServerSession.Event {
        do throws(STOMPError) {
            return try self.session.received(frame)
        } catch {
            throw BrokerRefusal(error)
        }
    }

    // MARK: - Connecting

    private mutating func open(_ connect: STOMPFrame, _ version: STOMPVersion) throws(BrokerRefusal) -> Opening {
        try self.checkLogin(connect.headers)
        try self.checkVirtualHost(connect.headers)
        let peer = try self.heartBeat(connect.headers)
        let own = HeartBeatHeader(
            outgoing: Self.answer(self.configuration.outgoingHeartBeat, peer.incoming),
            incoming: Self.answer(self.configuration.incomingHeartBeat, peer.outgoing)
        )
        let connected = self.session.accept(
            version,
            session: "session-\(self.connection)",
            server: self.configuration.serverName,
            heartBeat: own
        )
        self.parser.version = version
        return Opening(
            connect: connect,
            connected: connected,
            version: version,
            schedule: HeartBeatSchedule(own: own, peer: peer, version: version)
        )
    }

    private func checkLogin(_ headers: STOMPHeaders) throws(BrokerRefusal) {
        guard let logins = self.configuration.logins else { return }
        let login = OctetString(headers[.login] ?? "")
        let passcode = OctetString(headers[.passcode] ?? "")
        let isKnown =
            headers[.login] != nil && headers[.passcode] != nil
            && logins.contains { OctetString($0.key) == login && OctetString($0.value) == passcode }
        guard isKnown else { throw BrokerRefusal("Bad CONNECT", "Access refused for user '\(login.text)'.") }
    }

    private func checkVirtualHost(_ headers: STOMPHeaders) throws(BrokerRefusal) {
        guard let hosts = self.configuration.virtualHosts, let host = headers[.host] else { return }
        guard hosts.contains(where: { $0.utf8.elementsEqual(host.utf8) }) else {
            throw BrokerRefusal("Bad CONNECT", "Virtual host '\(host)' access denied.")
        }
    }

    private func heartBeat(_ headers: STOMPHeaders) throws(BrokerRefusal) -> HeartBeatHeader {
        do throws(STOMPError) {
            return try HeartBeatHeader(headers[.heartBeat], leniency: self.configuration.leniency)
        } catch {
            throw BrokerRefusal(error)
        }
    }

    /// Our number for one direction, as RabbitMQ has it: the client's own, unless ours is larger.
    private static func answer(_ interval: Duration, _ theirs: Int) -> Int {
        guard interval > .zero, theirs > 0 else { return 0 }
        let (seconds, attoseconds) = interval.components
        let milliseconds = seconds.multipliedReportingOverflow(by: 1_000)
        guard !milliseconds.overflow else { return Int.max }
        return max(theirs, Int(milliseconds.partialValue) + Int(attoseconds / 1_000_000_000_000_000), 1)
    }
}
