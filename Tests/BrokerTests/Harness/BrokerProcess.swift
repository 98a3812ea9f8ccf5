// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Synchronization

/// One running broker with its guard and its folder, all of which `stop` or the end of this process removes.
final class BrokerProcess: Sendable {
    struct StartFailure: Error, CustomStringConvertible {
        let kind: BrokerKind
        let reason: String
        let log: String

        var description: String { "\(self.kind.name) did not start: \(self.reason). Its log ends:\n\(self.log)" }
    }

    let kind: BrokerKind
    let ports: [String: Int]
    let folder: String
    private let guardProcess: GuardProcess
    private let webPorts: [String]
    /// Kept, so that no other socket gets a port of a broker that is down for a while.
    private let reservations: [LoopbackSocket]
    private let state = Mutex(State())

    private struct State {
        var processID: Int32 = 0
        var isStopped = false
    }

    // More at a time would be no sooner ready, and each of them later.
    private static let starts = Turns(2)

    /// Starts a broker and waits until all its STOMP ports answer.
    ///
    /// - Parameters:
    ///   - kind: The broker.
    ///   - program: Another program for the start script to run, to see a start fail.
    ///   - settings: Further variables for the start script, such as `BROKER_PLUGINS`.
    /// - Returns: The running broker.
    /// - Throws: ``StartFailure`` if it does not answer in time, ``MissingBroker`` if it is not installed.
    static func start(
        _ kind: BrokerKind,
        program: String? = nil,
        settings: [String: String] = [:]
    ) async throws -> BrokerProcess {
        try await self.starts.take {
            try await onOwnThread {
                guard let program = program ?? kind.program else { throw MissingBroker(kind: kind) }
                let broker = try BrokerProcess(kind, program: program, settings: settings)
                Self.stopAtExit(broker)
                return broker
            }
        }
    }

    /// Blocks until the broker is ready.
    private init(_ kind: BrokerKind, program: String, settings: [String: String]) throws {
        let names = kind.stompPorts + kind.webPorts + kind.otherPorts
        let reservations = try names.map { _ in try LoopbackSocket() }
        self.kind = kind
        self.webPorts = settings["BROKER_PLUGINS"] == nil ? kind.webPorts : []
        self.reservations = reservations
        self.ports = Dictionary(uniqueKeysWithValues: zip(names, try reservations.map { try $0.reserve() }))
        self.folder = try Self.makeFolder()
        self.guardProcess = try GuardProcess(
            folder: self.folder,
            script: kind.script,
            environment: Self.environment(folder: self.folder, program: program, ports: self.ports)
                .merging(settings) { $1 },
            log: self.folder + "/console.log"
        )
        do {
            try self.waitUntilReady()
        } catch {
            // The folder, and the log in it, goes with the broker.
            let failure = StartFailure(kind: kind, reason: "\(error)", log: self.log())
            self.stop()
            throw failure
        }
    }

    var processID: Int32 { self.state.withLock { $0.processID } }

    /// The last lines which the broker wrote.
    func log(lines: Int = 40) -> String {
        guard let text = FileManager.default.contents(atPath: self.folder + "/console.log") else { return "(none)" }
        let all = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return all.suffix(lines).joined(separator: "\n")
    }

    /// Kills the broker with SIGKILL, and waits until its process is gone.
    ///
    /// Its folder stays.
    func crash() async throws {
        let processID = self.processID
        try await onOwnThread {
            kill(processID, SIGKILL)
            guard poll(for: .seconds(60), { kill(processID, 0) == 0 ? nil : true }) != nil else {
                throw Immortal(processID: processID)
            }
        }
    }

    /// Starts the broker again, after ``crash()``, with the same ports and the data that it has left, and waits until
    /// it answers.
    func restart() async throws {
        try await onOwnThread {
            try FileManager.default.removeItem(atPath: self.folder + "/pid")
            self.guardProcess.startAgain()
            do {
                try self.waitUntilReady()
            } catch {
                throw StartFailure(kind: self.kind, reason: "again: \(error)", log: self.log())
            }
        }
    }

    /// Ends the broker (SIGTERM, and SIGKILL after eight seconds), removes its folder and waits for that.
    ///
    /// It blocks.
    ///
    /// - Returns: Whether the guard saw to it all by itself, as it has to where nobody is left to help it.
    @discardableResult
    func stop() -> Bool {
        self.release() ? self.finish() : true
    }

    /// Begins the stop; false if it has begun before.
    private func release() -> Bool {
        let isFirst = self.state.withLock { state in
            defer { state.isStopped = true }
            return !state.isStopped
        }
        if isFirst {
            self.guardProcess.release()
        }
        return isFirst
    }

    private func finish() -> Bool {
        let isGuardDone = self.guardProcess.wait(limit: .seconds(90))
        if !isGuardDone {
            // The guard itself is stuck, or was stopped. Without it, only its group and the broker's are known.
            kill(-self.guardProcess.processID, SIGKILL)
            _ = self.guardProcess.wait(limit: .seconds(5))
        }
        // A guard that ended as it should has removed the folder, as the last of its acts.
        guard FileManager.default.fileExists(atPath: self.folder) else { return isGuardDone }
        let processID = self.processID
        if processID > 0 {
            kill(-processID, SIGKILL)
        }
        try? FileManager.default.removeItem(atPath: self.folder)
        return false
    }

    private func waitUntilReady() throws {
        var last = "nothing was tried"
        let processID: Int32? = try poll(for: BrokerKind.startLimit) {
            guard let processID = self.readProcessID() else { return nil }
            self.state.withLock { $0.processID = processID }
            // Its parent, the guard, reaps it at once.
            guard kill(processID, 0) == 0 else { throw Ended(processID: processID) }
            for name in self.kind.stompPorts {
                do {
                    let answer = try rawConnect(port: self.ports[name] ?? 0, limit: .seconds(5))
                    guard answer.hasPrefix("CONNECTED") else {
                        last = "port \(name) answers \(answer.prefix(200))"
                        return nil
                    }
                } catch {
                    last = "port \(name): \(error)"
                    return nil
                }
            }
            for name in self.webPorts {
                do {
                    try LoopbackSocket().connect(to: self.ports[name] ?? 0, limit: .seconds(5))
                } catch {
                    last = "port \(name): \(error)"
                    return nil
                }
            }
            return processID
        }
        guard processID != nil else { throw NotReady(limit: BrokerKind.startLimit, last: last) }
    }

    private func readProcessID() -> Int32? {
        guard let text = try? String(contentsOfFile: self.folder + "/pid", encoding: .utf8) else { return nil }
        return Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private struct Ended: Error, CustomStringConvertible {
        let processID: Int32

        var description: String { "its process \(self.processID) ended" }
    }

    private struct Immortal: Error, CustomStringConvertible {
        let processID: Int32

        var description: String { "its process \(self.processID) was killed, and is still there" }
    }

    private struct NotReady: Error, CustomStringConvertible {
        let limit: Duration
        let last: String

        var description: String { "no answer within \(self.limit) (\(self.last))" }
    }
}

extension BrokerProcess {
    private static func makeFolder() throws -> String {
        var template = Array((NSTemporaryDirectory() + "/stomp-broker-XXXXXX").utf8CString)
        guard let path = mkdtemp(&template) else { throw GuardProcess.Failure(call: "mkdtemp", code: errno) }
        return URL(fileURLWithPath: String(cString: path)).standardizedFileURL.path
    }

    /// What the start script sees.
    ///
    /// Not the tests' own environment: their library path, or a setting meant for the system's RabbitMQ, has no
    /// business in these brokers.
    private static func environment(folder: String, program: String, ports: [String: Int]) -> [String: String] {
        var environment = [
            "PATH": BrokerKind.searchPath,
            "LANG": "C.UTF-8",
            "HOME": folder,
            "TMPDIR": folder,
            "BROKER_FOLDER": folder,
            "BROKER_PROGRAM": program,
        ]
        for (name, port) in ports {
            let suffix = name.uppercased().replacingOccurrences(of: "-", with: "_")
            environment["BROKER_PORT_" + suffix] = String(port)
        }
        return environment
    }

    private static let running = Mutex<[BrokerProcess]?>(nil)

    /// The guards would end the brokers anyway.
    ///
    /// Waiting for them means that nothing is left when `swift test` returns, and that a guard's failure is made good.
    private static func stopAtExit(_ broker: BrokerProcess) {
        let isFirst = self.running.withLock { running in
            defer { running = (running ?? []) + [broker] }
            return running == nil
        }
        guard isFirst else { return }
        atexit {
            let brokers = BrokerProcess.running.withLock { $0 ?? [] }
            // All at once, then wait: RabbitMQ takes seconds.
            for broker in brokers.filter({ $0.release() }) where !broker.finish() {
                let line = "The guard of \(broker.kind.name) did not end as it should; the broker was killed.\n"
                FileHandle.standardError.write(Data(line.utf8))
            }
        }
    }
}
