#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
#
# Runs stompserver (STOMP 1.0 only) in the foreground; by `exec`, this process becomes Ruby.
#
# BROKER_FOLDER             an empty folder for everything the broker writes
# BROKER_PROGRAM            ruby
# BROKER_PORT_STOMP         its port; the only user is guest/guest
set -euo pipefail
mkdir -p "$BROKER_FOLDER"/{etc,log,storage}
echo 'guest: guest' >"$BROKER_FOLDER/etc/.passwd"
cd "$BROKER_FOLDER"
# -W0: the broker is older than most of Ruby's warnings.
exec "$BROKER_PROGRAM" -W0 "$(dirname -- "${BASH_SOURCE[0]}")/stompserver.rb" "$BROKER_PORT_STOMP" "$BROKER_FOLDER"
