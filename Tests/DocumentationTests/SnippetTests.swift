// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Testing

/// The code in the documentation is code that compiles: each block stands word for word in this target.
@Suite("The documentation's code")
struct SnippetTests {
    static let pages = [
        "README.md",
        "Sources/STOMP/STOMP.docc/STOMP.md",
        "Sources/STOMP/STOMP.docc/ReceivingMessages.md",
        "Sources/STOMP/STOMP.docc/HandlingErrors.md",
        "Sources/STOMP/STOMP.docc/Servers.md",
        "Sources/STOMP/STOMP.docc/SurvivingLosses.md",
        "Sources/STOMP/STOMP.docc/Encrypting.md",
    ]

    /// The lines that matter: neither indentation nor blank lines, and no imports, which stand at the top of a file.
    private func lines(of text: some StringProtocol) -> [String] {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty && !$0.hasPrefix("import ") }
    }

    @Test("Each block of Swift in a page stands in this target, line by line", arguments: pages)
    func blocksAreCompiled(page: String) throws {
        let code = try Repository.swiftFiles(in: "Tests/DocumentationTests").map { self.lines(of: try $0.text()) }
        let blocks = try Repository.file(page).text().matches(of: /```swift\n(?<code>(?:(?!```).*\n)*)```/)
        #expect(!blocks.isEmpty)
        for block in blocks {
            let wanted = self.lines(of: block.output.code)
            #expect(
                code.contains { self.contains($0, wanted) },
                "\(page): no file of Tests/DocumentationTests has this block:\n\(block.output.code)"
            )
        }
    }

    private func contains(_ lines: [String], _ wanted: [String]) -> Bool {
        guard wanted.count <= lines.count else { return false }
        return (0...lines.count - wanted.count).contains { lines[$0..<$0 + wanted.count].elementsEqual(wanted) }
    }

    @Test("README.md names exactly two commands that set everything up")
    func twoCommands() throws {
        let blocks = try Repository.file("README.md").text().matches(of: /```console\n(?<code>(?:(?!```).*\n)*)```/)
        #expect(blocks.first?.output.code == "swift run quickstart\nswift test\n")
    }

    @Test("Each relative link in a page leads somewhere")
    func linksLeadSomewhere() throws {
        let pages = ["README.md"] + (try Repository.files(in: "Docs").filter { $0.hasSuffix(".md") })
        for page in pages {
            let folder = Repository.file(page).deletingLastPathComponent()
            for link in try Repository.file(page).text().matches(of: /\]\((?<path>[^)#:\s]+)(?:#[^)]*)?\)/) {
                let target = folder.appending(path: String(link.output.path))
                #expect(FileManager.default.fileExists(atPath: target.path), "\(page): \(link.output.path)")
            }
        }
    }

    private static let tables = ["Docs/Guarantees.md", "Docs/Comparison.md"]

    @Test("Each test that a table of promises names exists", arguments: Self.tables)
    func testsExist(page: String) throws {
        let references = try Repository.file(page).text().matches(of: /`([\w\/]+\.swift)#(\w+)`/)
        #expect(!references.isEmpty)
        for reference in references {
            let source = try? Repository.file("Tests/\(reference.output.1)").text()
            #expect(source?.contains("func \(reference.output.2)(") == true, "\(reference.output.0)")
        }
    }

    @Test("Each row of a table of promises names a test", arguments: Self.tables)
    func rowsAreShown(page: String) throws {
        let rows = try Repository.file(page).text().split(separator: "\n").filter { $0.hasPrefix("| ") }
        let unshown = rows.filter { row in
            !row.hasSuffix("Shown by |") && !row.hasPrefix("| ---") && !row.contains(/\.swift#\w+` \|$/)
        }
        #expect(unshown.isEmpty, "\(unshown)")
    }
}
