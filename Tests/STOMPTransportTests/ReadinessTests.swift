// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTransport

@Suite(.timeLimit(.minutes(10)))
struct ReadinessTests {
    @Test
    func `a signal between the attempt and the wait is not lost`() async {
        let readiness = Readiness()
        let mark = readiness.mark
        readiness.signal()
        readiness.exhausted(since: mark)
        await readiness.wait()
    }

    @Test
    func `readiness stays until an attempt has found nothing`() async {
        let readiness = Readiness(isReady: true)
        await readiness.wait()
        await readiness.wait()
        readiness.exhausted(since: readiness.mark)
        let waiting = Task { await readiness.wait() }
        readiness.signal()
        await waiting.value
    }

    @Test
    func `finished is for ever`() async {
        let readiness = Readiness()
        readiness.finish()
        readiness.exhausted(since: readiness.mark)
        await readiness.wait()
    }

    @Test
    func `a cancelled task does not wait`() async {
        let readiness = Readiness()
        let waiting = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await readiness.wait()
        }
        await waiting.value
    }

    @Test
    func `several waiters all return, each by its own cause`() async {
        let readiness = Readiness()
        for _ in 0..<500 {
            readiness.exhausted(since: readiness.mark)
            let waits = (0..<4).map { _ in Task { await readiness.wait() } }
            waits[1].cancel()
            await waits[1].value
            waits[3].cancel()
            await waits[3].value
            readiness.signal()
            await waits[0].value
            await waits[2].value
        }
    }

    @Test
    func `signal, cancellation and finish race for one waiter`() async {
        for _ in 0..<2000 {
            let readiness = Readiness()
            let waiting = Task { await readiness.wait() }
            async let signalled: Void = readiness.signal()
            async let finished: Void = readiness.finish()
            waiting.cancel()
            await signalled
            await finished
            await waiting.value
        }
    }
}
