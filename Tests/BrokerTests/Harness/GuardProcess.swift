// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation

/// A child of this process that runs a broker, and ends it when this process ends or lets go of the pipe.
///
/// `Scripts/guard.sh` holds the read end of a pipe whose write end is only here, marked close-on-exec. However this
/// process ends, by SIGKILL too, the kernel closes the write end and the guard sees the end of file. (Linux's
/// PR_SET_PDEATHSIG would not do: it is bound to the thread that spawned, and does not reach a broker's helpers.)
struct GuardProcess: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let call: String
        let code: Int32

        var description: String { "\(self.call): \(String(cString: strerror(self.code)))" }
    }

    let processID: Int32
    private let pipe: Int32

    /// Starts the guard as `guard.sh FOLDER SCRIPT`.
    ///
    /// Its output and the broker's go to the log.
    init(folder: String, script: String, environment: [String: String], log: String) throws {
        var ends: [Int32] = [-1, -1]
        try Self.check("pipe", Foundation.pipe(&ends) == 0 ? 0 : errno)
        let (input, output) = (ends[0], ends[1])
        defer { _ = close(input) }
        // Should another thread spawn a process just here, that one inherits the ends. A guard closes what it
        // inherits as its first act, and so does Foundation's Process: nobody keeps a write end.
        _ = fcntl(input, F_SETFD, FD_CLOEXEC)
        _ = fcntl(output, F_SETFD, FD_CLOEXEC)
        do {
            self.processID = try Self.spawn(
                ["/bin/bash", Self.script("guard.sh"), folder, Self.script(script)],
                environment: environment,
                input: input,
                log: log
            )
        } catch {
            _ = close(output)
            throw error
        }
        self.pipe = output
    }

    /// Tells the guard to start the broker once more.
    ///
    /// The file `pid` must be gone; it appears again with the new process.
    func startAgain() {
        _ = write(self.pipe, "\n", 1)
    }

    /// Tells the guard to end the broker.
    ///
    /// To be called once; `wait` follows.
    func release() {
        _ = close(self.pipe)
    }

    /// Waits until the guard has ended, and reaps it; false if it has not within the limit.
    func wait(limit: Duration) -> Bool {
        let reaped: Bool? = poll(for: limit) {
            var status: Int32 = 0
            let result = waitpid(self.processID, &status, WNOHANG)
            // An error means that it is no longer our child to wait for.
            return result == self.processID || (result < 0 && errno != EINTR) ? true : nil
        }
        return reaped ?? false
    }

    /// The start scripts lie beside this folder in the source tree.
    private static func script(_ name: String, file: String = #filePath) -> String {
        URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Scripts").appendingPathComponent(name).path
    }

    private static func spawn(
        _ arguments: [String],
        environment: [String: String],
        input: Int32,
        log: String
    ) throws -> Int32 {
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #else
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #endif
        try self.check("posix_spawn_file_actions_init", posix_spawn_file_actions_init(&actions))
        defer { _ = posix_spawn_file_actions_destroy(&actions) }
        try self.check("posix_spawnattr_init", posix_spawnattr_init(&attributes))
        defer { _ = posix_spawnattr_destroy(&attributes) }

        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)

        // A group of its own, out of reach of the terminal's ^C: the guard shall see the pipe's end and clean up.
        // And default signals: a shell cannot trap, nor a broker handle, what it was told to ignore at its start.
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD] {
            sigaddset(&defaults, signal)
        }
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = Int32(POSIX_SPAWN_SETPGROUP) | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let argv = arguments.map { strdup($0) } + [nil]
        let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            for pointer in argv + envp {
                free(pointer)
            }
        }
        var processID: pid_t = 0
        try self.check("posix_spawn", posix_spawn(&processID, arguments[0], &actions, &attributes, argv, envp))
        return processID
    }

    private static func check(_ call: String, _ code: Int32) throws {
        guard code == 0 else { throw Failure(call: call, code: code) }
    }
}
