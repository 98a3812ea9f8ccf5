// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// The package manager wants a source file in each C target; all code is in the header, to be inlined.
#include "CScan.h"
