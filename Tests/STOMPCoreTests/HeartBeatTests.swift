// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("Heart-beats: the header and the schedule")
struct HeartBeatTests {
    private func schedule(
        _ own: (Int, Int),
        _ peer: (Int, Int),
        _ version: STOMPVersion = .v12
    ) -> [Duration?] {
        let schedule = HeartBeatSchedule(
            own: HeartBeatHeader(outgoing: own.0, incoming: own.1),
            peer: HeartBeatHeader(outgoing: peer.0, incoming: peer.1),
            version: version
        )
        return [schedule.outgoing, schedule.incoming]
    }

    @Test("S12-HB-1 two numbers and a comma, as read and as written")
    func header() throws {
        for (text, outgoing, incoming) in [
            ("0,0", 0, 0), ("1000,0", 1000, 0), ("0,10000", 0, 10000), ("4000,5000", 4000, 5000), ("007,1", 7, 1),
            ("999999999999,1", 999_999_999_999, 1),
        ] {
            let header = try HeartBeatHeader(text, leniency: .strict)
            #expect(header == HeartBeatHeader(outgoing: outgoing, incoming: incoming))
        }
        #expect(HeartBeatHeader(outgoing: 4_000, incoming: 0).description == "4000,0")
    }

    @Test("S12-HB-2 without the header it is none")
    func missingHeader() throws {
        #expect(try HeartBeatHeader(nil, leniency: .strict) == .none)
        #expect(HeartBeatHeader.none == HeartBeatHeader(outgoing: 0, incoming: 0))
    }

    @Test("S12-HB-3 S12-HB-4 out: none if we cannot or they do not want, else the larger (trap 9)")
    func outgoing() {
        #expect(self.schedule((0, 0), (0, 0)) == [nil, nil])
        #expect(self.schedule((1000, 0), (0, 1000)) == [.seconds(1), nil])
        #expect(self.schedule((1000, 0), (0, 0)) == [nil, nil])
        #expect(self.schedule((0, 0), (0, 1000)) == [nil, nil])
        #expect(self.schedule((1000, 0), (0, 3000)) == [.seconds(3), nil])
        #expect(self.schedule((3000, 0), (0, 1000)) == [.seconds(3), nil])
    }

    @Test("S12-HB-3 S12-HB-5 in: none if they cannot or we do not want, else the larger (trap 9)")
    func incoming() {
        #expect(self.schedule((1000, 2000), (3000, 4000)) == [.seconds(4), .seconds(3)])
        #expect(self.schedule((0, 2000), (3000, 0)) == [nil, .seconds(3)])
        #expect(self.schedule((0, 4000), (3000, 0)) == [nil, .seconds(4)])
        #expect(self.schedule((0, 0), (3000, 0)) == [nil, nil])
        #expect(self.schedule((0, 2000), (0, 0)) == [nil, nil])
    }

    @Test("S12-HB-12 none in 1.0, whatever the headers say")
    func noneIn10() {
        #expect(self.schedule((1000, 2000), (3000, 4000), .v10) == [nil, nil])
        #expect(self.schedule((1000, 2000), (3000, 4000), .v11) == [.seconds(4), .seconds(3)])
    }

    @Test(
        "S12-HB-14 a malformed header is a violation in the strict profile, and none in the lenient one",
        arguments: [
            "2", ",2", "2,", ",", "", "-1,0", "0,-1", "1,2,3", "1, 2", " 1,2", "1,2 ", "a,b", "1.0,2", "+1,2",
            "9999999999999,1", "1,99999999999999999999999", "٣,1", "1;2",
        ]
    )
    func malformed(text: String) throws {
        #expect(failure { () throws(STOMPError) in try HeartBeatHeader(text, leniency: .strict) } == .protocolViolation)
        #expect(try HeartBeatHeader(text, leniency: .lenient) == .none)
    }

    @Test("S12-HB-6 the beat is due after half of what was promised, counted from the last write")
    func beatDeadline() {
        let schedule = HeartBeatSchedule(outgoing: .seconds(4), incoming: nil)
        #expect(schedule.beatDeadline(lastWrite: .seconds(10)) == .seconds(12))
        #expect(schedule.silenceDeadline(lastRead: .seconds(10), tolerance: 3) == nil)
    }

    @Test("S12-HB-10 S12-HB-11 a silent peer counts as dead after the tolerance, counted from the last byte")
    func silenceDeadline() {
        let schedule = HeartBeatSchedule(outgoing: nil, incoming: .seconds(4))
        #expect(schedule.silenceDeadline(lastRead: .seconds(10), tolerance: 3) == .seconds(22))
        #expect(schedule.silenceDeadline(lastRead: .seconds(10), tolerance: 1.5) == .seconds(16))
        #expect(schedule.beatDeadline(lastWrite: .seconds(10)) == nil)
    }
}
