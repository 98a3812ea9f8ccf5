// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@Suite("A plan of faults")
struct FaultPlanTests {
    @Test("The same seed gives the same faults, another one others")
    func seeds() {
        let scripts = { (seed: UInt64) in (1...50).map { FaultPlan(seed: seed).script(forAttempt: $0) } }
        #expect(scripts(1) == scripts(1))
        #expect(scripts(1) != scripts(2))
        #expect(Set(scripts(1)).count > 25)
    }

    @Test("Each kind comes about")
    func kinds() {
        for kind in FaultPlan.Kind.allCases {
            let plan = FaultPlan(seed: 7, kinds: [kind])
            let faulty = (1...300).count { plan.script(forAttempt: $0) != FaultPlan.Script() }
            #expect(3..<300 ~= faulty, "\(kind)")
        }
        #expect(FaultPlan(seed: 7, kinds: []).script(forAttempt: 1) == FaultPlan.Script())
    }

    @Test("Leaving a kind out changes nothing about the others")
    func subsets() {
        let all = FaultPlan(seed: 3)
        let some = FaultPlan(seed: 3, kinds: [.cut])
        for number in 1...50 {
            #expect(
                all.script(forAttempt: number).toServer.cutAfter == some.script(forAttempt: number).toServer.cutAfter
            )
        }
    }

    @Test("Scripts are taken in their order, and then nothing goes wrong")
    func scripts() {
        let plan = FaultPlan([.cut(afterBytesToClient: 1), .cut(afterBytesToServer: 2)])
        #expect(plan.script(forAttempt: 1).toClient.cutAfter == 1)
        #expect(plan.script(forAttempt: 2).toServer.cutAfter == 2)
        #expect(plan.script(forAttempt: 3) == FaultPlan.Script())
        #expect(FaultPlan.none.script(forAttempt: 1) == FaultPlan.Script())
    }
}
