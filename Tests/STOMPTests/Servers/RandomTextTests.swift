// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP

@Suite("Text with random mistakes", .timeLimit(.minutes(5)))
struct RandomTextTests {
    private static let addresses = [
        "stomp://me:hunter2@host:61613/vhost?keepAlive=true&header.client-id=x",
        "failover:(stomp://me:hunter2@a:1,ssl://me:hunter2@[fe80::1%25en1]:2/v?keepAlive=true)?randomize=false&timeout=10",
        "failover:stomp://me:hunter2@a,tcp://b?priorityBackup=true&priorityURIs=tcp://b,stomp://a&nested.virtualHost=v",
        "unix://me:hunter2@/run/b.sock",
    ]
    private static let insertions = Array("()[],&?=/:@%#. \u{0}a1ü")

    private func damaged(_ text: String, _ chance: inout SeededChance) -> String {
        var characters = Array(text)
        for _ in 0..<Int.random(in: 1...3, using: &chance) {
            let place = Int.random(in: 0..<characters.count, using: &chance)
            // The password itself stays whole, or it could not be looked for.
            guard !Array("hunter2").contains(characters[place]) else { continue }
            switch Int.random(in: 0..<3, using: &chance) {
            case 0: characters.remove(at: place)
            case 1: characters.insert(Self.insertions.randomElement(using: &chance) ?? "x", at: place)
            default: characters[place] = Self.insertions.randomElement(using: &chance) ?? "x"
            }
        }
        return String(characters)
    }

    @Test("an address with mistakes is read or is an error that has a column and no password", arguments: addresses)
    func damagedAddresses(address: String) {
        var chance = SeededChance(seed: 1)
        var errorCount = 0
        for _ in 0..<2_000 {
            let text = self.damaged(address, &chance)
            do throws(STOMPError) {
                let list = try STOMPServerList(text)
                #expect(!list.servers.isEmpty)
                for login in list.servers.compactMap(\.login) where login.passcode.hasSuffix("hunter2") {
                    #expect(!"\(login)".contains("hunter2"), "\(text)")
                }
            } catch {
                errorCount += 1
                #expect(error.code == .invalidURI)
                let column = error.message.firstMatch(of: /\(column (?<number>\d+)\)\.$/).flatMap {
                    Int($0.output.number)
                }
                #expect(column.map { (1...text.count + 1).contains($0) } == true, "\(text): \(error.message)")
                #expect(!"\(error)".contains("hunter2"), "\(text): \(error.message)")
            }
        }
        #expect(errorCount > 500)
    }

    @Test("settings with mistakes are read or are an error with a line and no password")
    func damagedSettings() {
        let text = SettingsTests.pool.replacing("secret", with: "hunter2") + "\n" + SettingsTests.options
        var chance = SeededChance(seed: 2)
        for _ in 0..<1_000 {
            let damaged = self.damaged(text, &chance)
            do throws(STOMPError) {
                let settings = try STOMPSettings(text: damaged, file: "f")
                #expect(!"\(settings)".contains("hunter2"))
            } catch {
                #expect(error.code == .invalidSettings)
                #expect(error.message.hasPrefix("f:"), "\(error.message)")
                #expect(!"\(error)".contains("hunter2"), "\(error.message)")
            }
        }
    }
}
