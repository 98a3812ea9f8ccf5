// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMPCore

/// Certificates for tests, made with the `openssl` command once in a process, and removed at its end.
///
/// | Name | What it is |
/// | --- | --- |
/// | `ca`, `otherca` | authorities |
/// | `server` | for localhost, 127.0.0.1 and ::1, by `ca` |
/// | `chained` | the same by `middle`, an authority by `ca`; `chained.chain.crt` has both |
/// | `expired`, `future`, `wronghost`, `wildcard`, `selfsigned` | servers, each with its fault; `wildcard` is for *.example.test |
/// | `client`, `certuser` | CN=guest and CN=certuser, by `ca` |
/// | `badclient` | CN=mallory, by `otherca` |
/// | `client.pkcs8.key`, `client.traditional.key` | the client's key, encrypted with ``password`` |
/// | `both.pem` | the client's certificate and key in one file |
/// | `hashed/` | a folder of authorities by their hashes, with `ca` in it |
/// | `server.p12`, `expired.p12`, `wronghost.p12`, `trust.p12` | for Java, if it was asked for |
public struct Certificates: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// The password of what is encrypted.
    public static let password = "changeit"

    /// Where they lie.
    public let folder: String

    private static let made = Result { try Certificates() }

    /// Those of this process.
    public static func shared() throws -> Certificates {
        try self.made.get()
    }

    /// The path of a file.
    public func path(_ name: String) -> String {
        "\(self.folder)/\(name)"
    }

    /// What is in a file.
    public func bytes(_ name: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: self.path(name)) else {
            throw Failure(description: "There is no \(name) in \(self.folder).")
        }
        return Array(data)
    }

    private init() throws {
        var template = Array("\(NSTemporaryDirectory())/stomp-certificates-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "There is no folder for certificates.") }
        self.folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        Self.removeAtExit(self.folder)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", Self.script, "certificates", self.folder, Self.password]
        let log = URL(fileURLWithPath: self.path("log"))
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let output = try FileHandle(forWritingTo: log)
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let text = FileManager.default.contents(atPath: log.path).map { String(decoding: $0, as: UTF8.self) }
            throw Failure(
                description: "Certificates could not be made; is openssl installed (Debian: apt-get install openssl)?\n"
                    + (text ?? "")
            )
        }
    }

    private static let removal = Locks()

    private static func removeAtExit(_ folder: String) {
        self.removal.folder.withLock { $0 = folder }
        atexit {
            guard let folder = Certificates.removal.folder.withLock({ $0 }) else { return }
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    private final class Locks: Sendable {
        let folder = Locked<String?>(nil)
    }

    private static let script = #"""
        set -euo pipefail
        cd "$1"
        password=$2
        cat >minimal.cnf <<CONF
        [req]
        distinguished_name = name
        [name]
        [ca]
        default_ca = here
        [here]
        new_certs_dir = .
        database = index
        serial = serial
        default_md = sha256
        policy = anything
        unique_subject = no
        [anything]
        organizationName = supplied
        commonName = supplied
        CONF
        export OPENSSL_CONF=$PWD/minimal.cnf
        : >index
        echo 1000 >serial
        number=1

        authority() {
            openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$1.key"
            openssl req -x509 -new -key "$1.key" -days 3650 -sha256 -subj "/O=swift-stomp/CN=$2" -out "$1.crt" \
                -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
        }
        request() {
            openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$1.key"
            openssl req -new -key "$1.key" -subj "/O=swift-stomp/CN=$2" -out "$1.csr"
            printf 'basicConstraints=%b\n' "$3" >"$1.ext"
        }
        # NAME CN EXTENSIONS ISSUER
        leaf() {
            request "$1" "$2" "$3"
            number=$((number + 1))
            openssl x509 -req -in "$1.csr" -CA "$4.crt" -CAkey "$4.key" -set_serial "$number" -days 800 -sha256 \
                -extfile "$1.ext" -out "$1.crt"
        }
        # NAME CN EXTENSIONS FROM TO
        dated() {
            request "$1" "$2" "$3"
            openssl ca -batch -notext -cert ca.crt -keyfile ca.key -in "$1.csr" -extfile "$1.ext" \
                -startdate "$4" -enddate "$5" -out "$1.crt"
        }

        authority ca 'test authority'
        authority otherca 'other authority'
        here='CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1'
        leaf server localhost "$here" ca
        dated expired localhost "$here" 20200101000000Z 20210101000000Z
        dated future localhost "$here" 20900101000000Z 20910101000000Z
        leaf wronghost elsewhere 'CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:elsewhere.example' ca
        leaf wildcard wildcard 'CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:*.example.test' ca
        leaf middle 'middle authority' 'critical,CA:TRUE\nkeyUsage=critical,keyCertSign' ca
        leaf chained localhost "$here" middle
        cat chained.crt middle.crt >chained.chain.crt
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out selfsigned.key
        openssl req -x509 -new -key selfsigned.key -days 800 -subj /O=swift-stomp/CN=localhost -out selfsigned.crt \
            -addext subjectAltName=DNS:localhost,IP:127.0.0.1
        leaf client guest 'CA:FALSE\nextendedKeyUsage=clientAuth' ca
        leaf certuser certuser 'CA:FALSE\nextendedKeyUsage=clientAuth' ca
        leaf badclient mallory 'CA:FALSE\nextendedKeyUsage=clientAuth' otherca
        openssl pkcs8 -topk8 -v2 aes-256-cbc -in client.key -passout "pass:$password" -out client.pkcs8.key
        openssl ec -aes256 -in client.key -passout "pass:$password" -out client.traditional.key
        cat client.crt client.key >both.pem
        printf '%s\n' "$password" >password
        mkdir hashed unhashed
        cp ca.crt "hashed/$(openssl x509 -in ca.crt -noout -hash).0"
        cp ca.crt unhashed/
        for name in server expired wronghost; do
            openssl pkcs12 -export -inkey "$name.key" -in "$name.crt" -certfile ca.crt -name server \
                -passout "pass:$password" -out "$name.p12"
        done
        openssl x509 -in server.crt -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -hex |
            sed 's/.* //' >server.pin
        openssl x509 -in ca.crt -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -hex |
            sed 's/.* //' >ca.pin
        """#
}
