#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
#
# Runs RabbitMQ in the foreground; by `exec`, this process becomes the Erlang virtual machine.
#
# BROKER_FOLDER             an empty folder for everything the broker writes
# BROKER_PROGRAM            RabbitMQ's own rabbitmq-server (not Debian's wrapper, which changes the user)
# BROKER_PORT_STOMP, BROKER_PORT_WEB, BROKER_PORT_AMQP, BROKER_PORT_DISTRIBUTION, BROKER_PORT_EPMD
# BROKER_PLUGINS            plugins, separated by commas (default: rabbitmq_stomp,rabbitmq_web_stomp)
# BROKER_WS_FRAME           text or binary: what is sent over WebSocket (default: text, as RabbitMQ has it)
# BROKER_NODE               the node's name (default: stomp)
# BROKER_COOKIE             the cookie, which the nodes of a cluster share (default: a new one)
# BROKER_CLUSTER            the names of all nodes of the cluster, with spaces between them
# BROKER_CERTIFICATES       a folder of certificates: also listen for TLS at BROKER_PORT_TLS, ask for certificates, and let
#                           those in who have one, as the user of their common name
# BROKER_SERVER             the broker's own certificate in that folder (default: server)
# BROKER_MUTUAL             true: refuse those without a certificate
set -euo pipefail
folder=$BROKER_FOLDER
mkdir -p "$folder"/{conf,mnesia}

# A home of its own: the Erlang cookie is read from there, and no node of somebody else shares it. Erlang wants it to be
# its owner's only; a second start finds the first one's.
export HOME=$folder
if [ ! -e "$HOME/.erlang.cookie" ]; then
    (umask 077 && echo "${BROKER_COOKIE:-$(head -c 30 /dev/urandom | base64 | tr -dc 'A-Za-z0-9')}" >"$HOME/.erlang.cookie")
fi

# An empty file in place of the system's rabbitmq-env.conf.
export RABBITMQ_CONF_ENV_FILE=$folder/conf/env.conf
: >"$RABBITMQ_CONF_ENV_FILE"

# "localhost" keeps the node's name independent of the machine's host name and of DNS.
export RABBITMQ_NODENAME=${BROKER_NODE:-stomp}@localhost
export RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
export RABBITMQ_NODE_PORT=$BROKER_PORT_AMQP
export RABBITMQ_DIST_PORT=$BROKER_PORT_DISTRIBUTION
export RABBITMQ_MNESIA_BASE=$folder/mnesia
export RABBITMQ_LOG_BASE=$folder
export RABBITMQ_LOGS=-
export RABBITMQ_PID_FILE=$folder/rabbitmq.pid
export RABBITMQ_FEATURE_FLAGS_FILE=$folder/feature_flags
export RABBITMQ_GENERATED_CONFIG_DIR=$folder/conf/generated
export RABBITMQ_CONFIG_FILE=$folder/conf/rabbitmq.conf
export RABBITMQ_ADVANCED_CONFIG_FILE=$folder/conf/advanced.config
export RABBITMQ_ENABLED_PLUGINS_FILE=$folder/conf/enabled_plugins
# No busy waiting and two schedulers: the tests share the machine with the broker.
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} \
    +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"

plugins=${BROKER_PLUGINS:-rabbitmq_stomp,rabbitmq_web_stomp}
echo "[$plugins]." >"$RABBITMQ_ENABLED_PLUGINS_FILE"
echo '[].' >"$RABBITMQ_ADVANCED_CONFIG_FILE"
cat >"$RABBITMQ_CONFIG_FILE" <<CONF
listeners.tcp.1 = 127.0.0.1:$BROKER_PORT_AMQP
stomp.listeners.tcp.1 = 127.0.0.1:$BROKER_PORT_STOMP
default_user = guest
default_pass = guest
loopback_users.guest = true
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 50MB
log.console.level = info
CONF
# A setting of a plugin that is not there is an error.
if [[ ,$plugins, == *,rabbitmq_web_stomp,* ]]; then
    {
        echo "web_stomp.tcp.listener = 127.0.0.1:$BROKER_PORT_WEB"
        echo "web_stomp.ws_frame = ${BROKER_WS_FRAME:-text}"
        if [ -n "${BROKER_CERTIFICATES:-}" ]; then
            echo "web_stomp.ssl.listener = 127.0.0.1:$BROKER_PORT_WEB_TLS"
            echo "web_stomp.ssl.cacertfile = $BROKER_CERTIFICATES/ca.crt"
            echo "web_stomp.ssl.certfile = $BROKER_CERTIFICATES/${BROKER_SERVER:-server}.crt"
            echo "web_stomp.ssl.keyfile = $BROKER_CERTIFICATES/${BROKER_SERVER:-server}.key"
        fi
    } >>"$RABBITMQ_CONFIG_FILE"
fi
if [ -n "${BROKER_CERTIFICATES:-}" ]; then
    cat >>"$RABBITMQ_CONFIG_FILE" <<CONF
stomp.listeners.ssl.1 = 127.0.0.1:$BROKER_PORT_TLS
ssl_options.cacertfile = $BROKER_CERTIFICATES/ca.crt
ssl_options.certfile = $BROKER_CERTIFICATES/${BROKER_SERVER:-server}.crt
ssl_options.keyfile = $BROKER_CERTIFICATES/${BROKER_SERVER:-server}.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = ${BROKER_MUTUAL:-false}
stomp.ssl_cert_login = true
ssl_cert_login_from = common_name
CONF
fi
if [ -n "${BROKER_CLUSTER:-}" ]; then
    number=0
    {
        echo 'cluster_formation.peer_discovery_backend = classic_config'
        for node in $BROKER_CLUSTER; do
            number=$((number + 1))
            echo "cluster_formation.classic_config.nodes.$number = $node@localhost"
        done
        # The first node, which starts alone, shall not wait for the others for long.
        echo 'cluster_formation.discovery_retry_limit = 5'
        echo 'cluster_formation.discovery_retry_interval = 100'
        echo 'cluster_partition_handling = pause_minority'
    } >>"$RABBITMQ_CONFIG_FILE"
fi

# A port mapper of our own. Without one RabbitMQ would start a daemon, which outlives it. It stays in our process
# group, and has to answer before the node looks for it.
export ERL_EPMD_ADDRESS=127.0.0.1
export ERL_EPMD_PORT=$BROKER_PORT_EPMD
# The nodes of a cluster have one together: the first one's, so that for the others this one ends at once.
epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" &
for _ in {1..200}; do
    (exec 3<>"/dev/tcp/127.0.0.1/$ERL_EPMD_PORT") 2>/dev/null && break
    sleep 0.05
done

# The server then runs `exec erl -noinput` in place of a shell that waits for it.
export RUNNING_UNDER_SYSTEMD=true
exec "$BROKER_PROGRAM"
