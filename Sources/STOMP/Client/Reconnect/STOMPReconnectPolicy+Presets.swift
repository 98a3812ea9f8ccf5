// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

extension STOMPReconnectPolicy {
    /// The client ends when its connection does.
    ///
    /// At the start each server of the list is tried once.
    public static let never = STOMPReconnectPolicy(.exponential(), maximumAttempts: .limited(0))

    /// The defaults of the `stomp` gem: 10 ms that double up to 30 s, before each server, without a limit, also at the
    /// start; without jitter.
    public static let rubyStomp: STOMPReconnectPolicy = {
        var policy = STOMPReconnectPolicy(.exponential(jitter: 0))
        policy.maximumAttemptsAtStart = .unlimited
        policy.pace = .eachServer
        return policy
    }()

    /// The defaults of stomp.py: 0.1 s that grow by a half up to 60 s, up to a tenth more by chance, between rounds; 3
    /// attempts, also at the start.
    ///
    /// stomp.py itself counts servers, though it always finishes a round; here each server has 3 attempts.
    public static let stompPy: STOMPReconnectPolicy = {
        var policy = STOMPReconnectPolicy(.growing(), maximumAttempts: .limited(3))
        policy.maximumAttemptsAtStart = .limited(3)
        return policy
    }()

    /// The defaults of ActiveMQ's failover transport since 5.6: 10 ms that double up to 30 s, between rounds, without a
    /// limit, also at the start; without jitter.
    ///
    /// The same as in an address that says all of it:
    /// `failover:(…)?initialReconnectDelay=10&maxReconnectDelay=30000&maxReconnectAttempts=-1`, but for the jitter.
    public static let activeMQFailover: STOMPReconnectPolicy = {
        var policy = STOMPReconnectPolicy(.exponential(jitter: 0))
        policy.maximumAttemptsAtStart = .unlimited
        return policy
    }()
}
