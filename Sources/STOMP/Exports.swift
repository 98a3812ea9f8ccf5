// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

// The types of the core are part of this module's API; typealiases would not carry their members along.
@_exported public import STOMPCore
