// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Testing

@testable import StompBench

#if canImport(FoundationXML)
import FoundationXML
#endif

@Suite("The chart of stomp-bench")
struct ChartTests {
    private static let lines = """
        {"mode":"recv","count":1000,"bytes":16000,"seconds":0.01,"cpu_user":0.1,"cpu_sys":0,"client":"swift-stomp","version":"1"}
        {"mode":"recv","count":1000,"bytes":16000,"seconds":1,"cpu_user":0.5,"cpu_sys":0.1,"client":"other & <co>","x":"y"}
        {"mode":"recv","count":1000,"bytes":16000,"seconds":3,"cpu_user":0.5,"cpu_sys":0.1,"client":"other & <co>"}
        {"mode":"rtt","count":1000,"bytes":0,"seconds":2,"cpu_user":0.5,"cpu_sys":0.1,"client":"third","wire":"wss"}
        """

    private func chart(isCPU: Bool = false) throws -> String {
        try Chart(Measurement.all(in: Self.lines, of: "lines"), isCPU: isCPU).svg
    }

    @Test("It is well-formed XML without scripts", arguments: [false, true])
    func wellFormed(isCPU: Bool) throws {
        let svg = try self.chart(isCPU: isCPU)
        let parser = XMLParser(data: Data(svg.utf8))
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(!svg.contains("<script") && !svg.contains("http://127") && svg.contains("prefers-color-scheme: dark"))
    }

    @Test("It names each client, mode and size, and has a bar for each client in each group")
    func content() throws {
        let svg = try self.chart()
        for text in [
            ">swift-stomp 1<", ">other &amp; &lt;co&gt;<", ">third<", ">recv<", ">rtt<", ">16 B<", ">0 B, wss<",
        ] {
            #expect(svg.contains(text), "\(text)")
        }
        // Three bars, and three in the legend.
        #expect(svg.components(separatedBy: "<rect").count - 1 == 6)
    }

    @Test("Ours comes first, modes in the order of the help, and several runs count by their median")
    func data() throws {
        let data = try ChartData(Measurement.all(in: Self.lines, of: "lines"), isCPU: false)
        #expect(data.clients.first == "swift-stomp 1")
        #expect(data.groups.map(\.mode) == ["recv", "rtt"])
        let other = try #require(data.clients.firstIndex(of: "other & <co>"))
        #expect(data.groups[0].values[other]?.count == 2)
    }

    @Test("A run that failed has no bar, and does not keep others from having theirs")
    func failedRun() throws {
        let failed = #"{"mode":"recv","count":0,"bytes":0,"seconds":0,"error":"exit 1: no message","client":"broken"}"#
        let measurements = try Measurement.all(in: failed + "\n" + Self.lines, of: "lines")
        #expect(measurements.count == 4)
        #expect(try !ChartData(measurements, isCPU: false).clients.contains("broken"))
    }

    @Test("The axis has a place for the least and the most")
    func scale() {
        let scale = LogScale([100, 25_000])
        #expect(scale.place(of: 100) > 0 && abs(scale.place(of: 25_000) - 1) < 1e-9)
        #expect(scale.ticks == [10, 100, 1_000, 10_000])
    }

    @Test("Nothing to draw is an error")
    func nothing() {
        #expect(throws: BenchError.self) { try Chart([], isCPU: false) }
        #expect(throws: BenchError.self) { try Chart(Arguments(["chart", "/nowhere/runs.json"])) }
    }
}
