// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Testing

/// `Docs/Conformance.md` says for each demand of the protocol which test shows it; this holds it to its word.
@Suite("The conformance table")
struct ConformanceTableTests {
    private struct Row {
        let id: String
        let code: String
        let tests: String
    }

    /// A test as its source says it: the display name and the function.
    private struct NamedTest {
        let title: String
        let function: String
    }

    /// The demands, in the order of the specification's areas.
    private static let ids = """
        S12-FRM-1 S12-FRM-2 S11-FRM-3 S12-FRM-4 S12-FRM-5 S12-FRM-6 S12-FRM-7 S12-FRM-8 S12-FRM-9 S12-FRM-10
        S12-FRM-11 S10-FRM-12 SX-FRM-13 S12-FRM-14 SX-FRM-15 S12-FRM-16
        S12-LIM-1 S12-LIM-2
        S12-ENC-1 S10-ENC-2
        S12-ESC-1 S12-ESC-2 S12-ESC-3 S12-ESC-4 S11-ESC-5 S10-ESC-6 S12-ESC-7 S12-ESC-8 S12-ESC-9 S12-ESC-10
        S12-TRM-1 S10-TRM-2
        S12-RPT-1 S11-RPT-2 S10-RPT-3 S12-RPT-4
        S12-BDY-1 S10-BDY-2
        S12-LEN-1 S12-LEN-2 S12-LEN-3 S12-LEN-4 S10-LEN-5 S12-LEN-6 S12-LEN-7 S12-LEN-8 S12-LEN-9
        S12-TYP-1 S12-TYP-2 S12-TYP-3 S12-TYP-4 S12-TYP-5 S12-TYP-6
        S12-CON-1 S12-CON-2 S12-CON-3 S12-CON-4 S12-CON-5 S12-CON-6 S12-CON-7 S12-CON-8 S12-CON-9
        S12-NEG-1 S12-NEG-2 S12-NEG-3 S12-NEG-4 S12-NEG-5 S12-NEG-6 S12-NEG-7 S12-NEG-8
        S12-CTD-1 S12-CTD-2 SX-CTD-3
        S12-LNG-1
        S12-HB-1 S12-HB-2 S12-HB-3 S12-HB-4 S12-HB-5 S12-HB-6 S11-HB-7 S12-HB-8 S12-HB-9 S12-HB-10 S12-HB-11
        S12-HB-12 S12-HB-13 S12-HB-14 S12-HB-15
        S12-SND-1 S12-SND-2 S12-SND-3 S12-SND-4
        S12-SUB-1 S11-SUB-2 S10-SUB-3 S12-SUB-4 S12-SUB-5 S12-SUB-6 S12-SUB-7 S12-SUB-8 S12-SUB-9 S12-SUB-10
        S12-UNS-1 S10-UNS-2 S12-UNS-3
        S10-ACK-1 S11-ACK-2 S12-ACK-3 S12-ACK-4 S12-ACK-5 S12-ACK-6 S12-ACK-7
        S12-TRX-1 S12-TRX-2 S12-TRX-3 S12-TRX-4 S12-TRX-5
        S12-RCT-1
        S12-DIS-1 S12-DIS-2 S10-DIS-3 S12-DIS-4 S12-DIS-5
        S12-UNK-1
        S12-MSG-1 S12-MSG-2 S12-MSG-3 S12-MSG-4 S12-MSG-5
        S12-REC-1 S12-REC-2 S12-REC-3 S12-REC-4
        S12-ERR-1 S12-ERR-2 S12-ERR-3 S12-ERR-4 S12-ERR-5
        S12-GEN-1
        """.split { $0 == " " || $0 == "\n" }.map(String.init)

    private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    private func rows() throws -> [Row] {
        let page = Self.tests.deletingLastPathComponent().appending(path: "Docs/Conformance.md")
        return try String(contentsOf: page, encoding: .utf8).split(separator: "\n").compactMap { line in
            let cells = line.split(separator: " | ", omittingEmptySubsequences: false)
            guard cells.count == 4, cells[0].hasPrefix("| S"), cells[3].hasSuffix(" |") else { return nil }
            return Row(id: String(cells[0].dropFirst(2)), code: String(cells[2]), tests: String(cells[3].dropLast(2)))
        }
    }

    /// The tests of a source file that have display names.
    private func namedTests(in source: String) -> [NamedTest] {
        let attribute = /@Test\(\s*"(?<title>(?:[^"\\]|\\.)*)"/
        let function = /\bfunc (?<name>\w+)/
        return source.matches(of: attribute).compactMap { match in
            guard let name = source[match.range.upperBound...].firstMatch(of: function)?.output.name else { return nil }
            return NamedTest(title: String(match.output.title), function: String(name))
        }
    }

    @Test("Each demand has one row, in order, and no row is of something else")
    func everyIdOnce() throws {
        #expect(Self.ids.count == 140)
        #expect(Set(Self.ids).count == 140)
        #expect(try self.rows().map(\.id) == Self.ids)
    }

    @Test("Each row names code and tests, or the reason why a client has nothing to show")
    func everyRowIsFilled() throws {
        for row in try self.rows() {
            guard !row.tests.contains("pending") else {
                Issue.record("\(row.id) waits for its test")
                continue
            }
            let isReason = row.tests.wholeMatch(of: /server: \S.*/) != nil
            let parts = row.tests.split(separator: "<br>", omittingEmptySubsequences: false)
            let isList = parts.allSatisfy { $0.wholeMatch(of: /`\w+(?:\/\w+)+\.swift#\w+`/) != nil }
            #expect(isReason || isList, "\(row.id): \(row.tests)")
            #expect(!row.code.isEmpty, "\(row.id)")
        }
    }

    @Test("Each test that is named exists and carries the id")
    func everyTestExists() throws {
        var files: [String: [NamedTest]] = [:]
        for row in try self.rows() {
            for reference in row.tests.matches(of: /`(\w+(?:\/\w+)+\.swift)#(\w+)`/) {
                let path = String(reference.output.1)
                if files[path] == nil {
                    let source = try? String(contentsOf: Self.tests.appending(path: path), encoding: .utf8)
                    #expect(source != nil, "\(row.id): there is no \(path)")
                    files[path] = self.namedTests(in: source ?? "")
                }
                let found = files[path]?.filter { $0.function == reference.output.2 } ?? []
                #expect(found.count == 1, "\(row.id): \(reference.output.0) is no test with a name")
                let titles = found.map { $0.title.split(separator: " ").map(String.init) }
                #expect(
                    titles.allSatisfy { $0.contains(row.id) },
                    "\(row.id) is not in the name of \(reference.output.0)"
                )
            }
        }
    }

    @Test("Each id that a test of this target carries leads back to it")
    func everyCitationIsListed() throws {
        let rows = Dictionary(try self.rows().map { ($0.id, $0.tests) }, uniquingKeysWith: { first, _ in first })
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        where file.pathExtension == "swift" {
            for test in self.namedTests(in: try String(contentsOf: file, encoding: .utf8)) {
                for id in test.title.split(separator: " ").filter({ $0.wholeMatch(of: /S[0-9X]+-[A-Z]+-[0-9]+/) != nil }
                ) {
                    let reference = "`\(folder.lastPathComponent)/\(file.lastPathComponent)#\(test.function)`"
                    #expect(rows[String(id)]?.contains(reference) == true, "\(id): \(reference) is not in the table")
                }
            }
        }
    }
}
