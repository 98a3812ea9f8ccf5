// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

// All of it is in the header; the build system asks for one source file.
#include "CSystem.h"
