// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Testing

/// The checkout that these tests were built from.
enum Repository {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func file(_ path: String) -> URL {
        self.root.appending(path: path)
    }

    /// The paths of all files in a folder and in those in it, in order.
    static func files(in folder: String) throws -> [String] {
        let place = self.file(folder).resolvingSymlinksInPath().path
        let paths = try FileManager.default.subpathsOfDirectory(atPath: place)
        try #require(!paths.isEmpty, "\(folder) is empty")
        return paths.sorted().map { "\(folder)/\($0)" }
    }

    static func swiftFiles(in folder: String) throws -> [URL] {
        try self.files(in: folder).filter { $0.hasSuffix(".swift") }.map { self.file($0) }
    }
}

extension URL {
    func text() throws -> String {
        try String(contentsOf: self, encoding: .utf8)
    }
}
