// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// For which attempt ``STOMPConfiguration/credentials`` is asked.
public struct STOMPCredentialsRequest: Sendable {
    /// The broker that is about to be connected to.
    public let endpoint: STOMPEndpoint
    /// The number of the attempt, from 1 since the start or the last stable connection.
    public let attempt: Int
    /// Why the attempt before it failed, such as ``STOMPError/Code/connectRefused`` for an expired password.
    public let previousError: STOMPError?
}
