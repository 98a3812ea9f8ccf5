// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Testing

/// The rules of `Docs/CONTRIBUTING.md` that a search can check.
@Suite("The house rules")
struct HouseRuleTests {
    private static let modules: [(name: String, imports: Set<String>)] = [
        ("STOMPCore", ["CScan", "Synchronization"]),
        ("STOMPTransport", ["CSystem", "STOMPCore", "Synchronization"]),
        ("STOMP", ["STOMPCore", "STOMPTransport", "Synchronization"]),
        ("STOMPTesting", ["STOMP", "STOMPCore", "STOMPTransport", "Synchronization"]),
        ("STOMPFoundation", ["STOMP", "Foundation", "FoundationEssentials"]),
        ("StompBench", ["STOMP"]),
    ]
    private static let systemLibraries: Set<String> = ["Glibc", "Musl", "Darwin"]
    /// The files that may import the system's library.
    private static let seams: Set<String> = [
        "EventQueue.swift", "System.swift", "System+Sockets.swift", "System+Names.swift", "System+Unix.swift",
    ]
    /// As a user would write it, but for the one that looks below the public API.
    private static let benchmark = "StompBench"
    private static let belowThePublicAPI = "Codec.swift"

    private struct Line {
        let file: String
        let number: Int
        let text: Substring
        /// Without comments.
        let code: String
    }

    private func lines(of folder: String) throws -> [Line] {
        try Repository.swiftFiles(in: folder).flatMap { file in
            try file.text().split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { index, text in
                Line(
                    file: file.lastPathComponent,
                    number: index + 1,
                    text: text,
                    code: String(text.replacing(/(?:^|\s)\/\/.*/, with: ""))
                )
            }
        }
    }

    private func expectNone(_ lines: [Line], _ rule: Comment) {
        let found = lines.map { "\($0.file):\($0.number): \($0.text)" }
        #expect(found.isEmpty, rule)
    }

    @Test("Package.swift has no dependencies")
    func noDependencies() throws {
        let manifest = try Repository.file("Package.swift").text()
        #expect(!manifest.contains(".package("))
        #expect(manifest.contains("dependencies: [],"))
    }

    @Test("Each module imports what the design lets it")
    func imports() throws {
        for module in Self.modules {
            let lines = try self.lines(of: "Sources/\(module.name)")
            #expect(!lines.isEmpty, "\(module.name)")
            for line in lines {
                guard let match = line.code.firstMatch(of: /^\s*(?:@\w+ )*(?:\w+ )?import (?:\w+ )?(?<name>\w+)/) else {
                    continue
                }
                let name = String(match.output.name)
                let isProgram = module.name == Self.benchmark
                let isSeam = (isProgram || Self.seams.contains(line.file)) && Self.systemLibraries.contains(name)
                let isBelow = isProgram && line.file == Self.belowThePublicAPI && name == "STOMPCore"
                #expect(
                    module.imports.contains(name) || isSeam || isBelow,
                    "\(module.name) imports \(name) in \(line.file)"
                )
            }
        }
    }

    @Test("Tasks are structured; the one exception is awaited, in WithCleanup")
    func structuredTasks() throws {
        let found = try self.lines(of: "Sources").filter { line in
            line.file != "WithCleanup.swift" && line.code.contains(/\bTask(?:\.detached|\s*\{|\()/)
        }
        self.expectNone(found, "Start a child task instead.")
    }

    @Test("Time is an input")
    func injectedTime() throws {
        let found = try self.lines(of: "Sources").filter { line in
            guard line.code.contains(/\bTask\.sleep|\b(?:Continuous|Suspending)Clock\(\)/) else { return false }
            let isDefault = line.code.contains("public var clock: any Clock<Duration> = ContinuousClock()")
            return line.file != "TimeSource.swift" && !isDefault
        }
        self.expectNone(found, "Take the configuration's clock.")
    }

    @Test("Tests sleep in one place, where real brokers need it")
    func sleeping() throws {
        let found = try self.lines(of: "Tests").filter { line in
            line.code.contains(/\b(?:Task|Thread)\.sleep|\bu?sleep\(\d/) && line.file != "RealTime.swift"
        }
        self.expectNone(found, "Move a ManualClock, or call RealTime.")
    }

    @Test("Libraries do not print")
    func noPrinting() throws {
        for module in Self.modules where module.name != "StompBench" {
            let found = try self.lines(of: "Sources/\(module.name)").filter { line in
                line.code.contains(/(?:^|[^.\w])(?:debugP|p)rint\(/)
            }
            self.expectNone(found, "Send an event instead.")
        }
    }

    @Test("No force unwraps of errors, no unfinished business")
    func nothingUnfinished() throws {
        let unfinished = try self.lines(of: "Sources").filter { $0.text.contains(/\b(?:TODO|FIXME|XXX)\b/) }
        self.expectNone(unfinished, "Finish it.")
        let forced = try self.lines(of: "Sources").filter { $0.code.contains(/\btry!|\bas!|\bfatalError\(/) }
        self.expectNone(forced, "Throw an error instead.")
    }

    @Test("A file has one idea and at most 400 lines", arguments: ["Sources", "Tests", "Examples"])
    func fileSizes(folder: String) throws {
        for file in try Repository.swiftFiles(in: folder) {
            let count = try file.text().split(separator: "\n", omittingEmptySubsequences: false).count - 1
            #expect(count <= 400, "\(file.lastPathComponent) has \(count) lines")
        }
    }

    @Test("Each file says what licence it is under", arguments: ["Sources", "Tests", "Examples"])
    func licences(folder: String) throws {
        for file in try Repository.swiftFiles(in: folder) {
            let text = try file.text()
            #expect(text.hasPrefix("// SPDX-License-Identifier: Apache-2.0\n"), "\(file.lastPathComponent)")
        }
    }
}
