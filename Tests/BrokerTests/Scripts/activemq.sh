#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
#
# Runs ActiveMQ Classic from Debian's jars in the foreground; by `exec`, this process becomes the virtual machine.
#
# BROKER_FOLDER             an empty folder for everything the broker writes
# BROKER_PROGRAM            java
# BROKER_PORT_STOMP                 the usual connector
# BROKER_PORT_DEFAULT_HEART_BEAT    one that assumes `heart-beat:5000,0` of a client which sends no such header
# BROKER_PORT_SMALL_LIMITS          one with maxFrameSize 65536 and maxDataLength 32768
#
# BROKER_CERTIFICATES               a folder of certificates: also listen for TLS at BROKER_PORT_TLS, and at
#                                   BROKER_PORT_MUTUAL_TLS for those who have a certificate
# BROKER_SERVER                     the broker's own certificate in that folder (default: server)
#
# Users: guest/guest may use everything, app/secret only destinations below "app.".
set -euo pipefail
folder=$BROKER_FOLDER
mkdir -p "$folder"/{conf,data,temporary}

tls_context=
tls_connectors=
if [ -n "${BROKER_CERTIFICATES:-}" ]; then
    # What openssl makes counts as trusted in Java only if Java's own tool has put it there.
    keytool -importcert -noprompt -alias ca -file "$BROKER_CERTIFICATES/ca.crt" -keystore "$folder/conf/trust.p12" \
        -storetype PKCS12 -storepass changeit
    tls_context="<sslContext><sslContext keyStore=\"file:$BROKER_CERTIFICATES/${BROKER_SERVER:-server}.p12\"
        keyStorePassword=\"changeit\" keyStoreType=\"PKCS12\" trustStore=\"file:$folder/conf/trust.p12\"
        trustStorePassword=\"changeit\" trustStoreType=\"PKCS12\"/></sslContext>"
    tls_connectors="<transportConnector name=\"tls\" uri=\"stomp+ssl://127.0.0.1:$BROKER_PORT_TLS\"/>
      <transportConnector name=\"mutual-tls\"
          uri=\"stomp+ssl://127.0.0.1:$BROKER_PORT_MUTUAL_TLS?needClientAuth=true\"/>"
fi

# Authorization entries add up, so a narrower entry cannot take a right away from the users of ">".
# Without tcpNoDelay, Nagle's algorithm holds a MESSAGE back for 40 ms behind a RECEIPT.
cat >"$folder/conf/activemq.xml" <<XML
<beans xmlns="http://www.springframework.org/schema/beans"
       xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
       xsi:schemaLocation="http://www.springframework.org/schema/beans
           http://www.springframework.org/schema/beans/spring-beans-2.0.xsd
           http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="localhost" dataDirectory="$folder/data"
          useJmx="false" persistent="true" useShutdownHook="true" populateJMSXUserID="true">
    <persistenceAdapter>
      <kahaDB directory="$folder/data/kahadb" journalMaxFileLength="8mb" preallocationScope="none"
              concurrentStoreAndDispatchQueues="false"/>
    </persistenceAdapter>
    <plugins>
      <simpleAuthenticationPlugin anonymousAccessAllowed="false">
        <users>
          <authenticationUser username="guest" password="guest" groups="users"/>
          <authenticationUser username="app" password="secret" groups="apps"/>
        </users>
      </simpleAuthenticationPlugin>
      <authorizationPlugin>
        <map>
          <authorizationMap>
            <authorizationEntries>
              <authorizationEntry queue=">" read="users" write="users" admin="users"/>
              <authorizationEntry topic=">" read="users" write="users" admin="users"/>
              <authorizationEntry queue="app.>" read="apps" write="apps" admin="apps"/>
              <authorizationEntry topic="app.>" read="apps" write="apps" admin="apps"/>
              <authorizationEntry topic="ActiveMQ.Advisory.>" read="users,apps" write="users,apps"
                                  admin="users,apps"/>
            </authorizationEntries>
            <tempDestinationAuthorizationEntry>
              <tempDestinationAuthorizationEntry read="users,apps" write="users,apps" admin="users,apps"/>
            </tempDestinationAuthorizationEntry>
          </authorizationMap>
        </map>
      </authorizationPlugin>
    </plugins>
    $tls_context
    <systemUsage>
      <systemUsage>
        <memoryUsage><memoryUsage limit="128 mb"/></memoryUsage>
        <storeUsage><storeUsage limit="2 gb"/></storeUsage>
        <tempUsage><tempUsage limit="1 gb"/></tempUsage>
      </systemUsage>
    </systemUsage>
    <transportConnectors>
      $tls_connectors
      <transportConnector name="stomp"
          uri="stomp://127.0.0.1:$BROKER_PORT_STOMP?transport.tcpNoDelay=true"/>
      <transportConnector name="default-heart-beat"
          uri="stomp://127.0.0.1:$BROKER_PORT_DEFAULT_HEART_BEAT?transport.tcpNoDelay=true&amp;transport.defaultHeartBeat=5000,0"/>
      <transportConnector name="small-limits"
          uri="stomp://127.0.0.1:$BROKER_PORT_SMALL_LIMITS?transport.tcpNoDelay=true&amp;wireFormat.maxFrameSize=65536&amp;wireFormat.maxDataLength=32768"/>
    </transportConnectors>
  </broker>
</beans>
XML

classes=
for jar in /usr/share/activemq/lib/*.jar; do
    # A second binding of commons-logging, which the Debian package ships as well.
    [[ $jar == */jcl-over-slf4j.jar ]] || classes+=:$jar
done
for name in activemq-spring xbean-spring spring3-core spring3-beans spring3-context spring3-expression spring3-aop \
    commons-logging slf4j-simple aopalliance; do
    [[ ! -e /usr/share/java/$name.jar ]] || classes+=:/usr/share/java/$name.jar
done

# Performance data would be written outside the folder and stay there when the broker is killed.
exec "$BROKER_PROGRAM" -Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData \
    -Djava.io.tmpdir="$folder/temporary" \
    -Dactivemq.home=/usr/share/activemq -Dactivemq.base="$folder" \
    -Dactivemq.conf="$folder/conf" -Dactivemq.data="$folder/data" \
    -Dorg.slf4j.simpleLogger.showDateTime=true -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS \
    -cp "${classes#:}" org.apache.activemq.console.Main start "xbean:file:$folder/conf/activemq.xml"
