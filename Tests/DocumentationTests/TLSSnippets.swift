// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

// The code of Encrypting.md, word for word, so that it compiles; `SnippetTests` compares them.

private struct Vault: Sendable {
    func password(of name: String) async throws -> String { name }
}

private func publicAuthority() throws -> STOMPServer {
    let server = try STOMPServer("stomp+ssl://guest:guest@broker.example:61614")
    return server
}

private func fromFiles() throws -> STOMPServer {
    let given = try STOMPServer(
        "stomp+ssl://broker.example:61614?tls.caFile=ca.crt&tls.certFile=client.crt&tls.keyFile=client.key"
    )
    return given
}

private func inCode(_ vault: Vault) -> STOMPServer {
    var secured = STOMPServer(.tls("broker.example"))
    secured.tls.trust = [.certificates(.file("ca.crt"))]
    secured.tls.certificateChain = .file("client.crt")
    secured.tls.privateKey = .file("client.key")
    secured.tls.privateKeyPassword = .callback { try await vault.password(of: "client.key") }
    secured.tls.minimumVersion = .tls13
    return secured
}
