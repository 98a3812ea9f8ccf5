// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// One list for every Swift target.
let settings: [SwiftSetting] = [
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
    .enableUpcomingFeature("ExistentialAny"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0409-access-level-on-imports.md
    .enableUpcomingFeature("InternalImportsByDefault"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
    .enableUpcomingFeature("MemberImportVisibility"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0461-async-function-isolation.md
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0470-isolated-conformances.md
    .enableUpcomingFeature("InferIsolatedConformances"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0481-weak-let.md
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0480-swiftpm-warning-control.md
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "swift-stomp",
    platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
    products: [
        .library(name: "STOMP", targets: ["STOMP"]),
        .library(name: "STOMPTesting", targets: ["STOMPTesting"]),
        .library(name: "STOMPFoundation", targets: ["STOMPFoundation"]),
        .executable(name: "quickstart", targets: ["Quickstart"]),
        .executable(name: "failover", targets: ["Failover"]),
        .executable(name: "websocket", targets: ["WebSocket"]),
        .executable(name: "tls-client", targets: ["TLSClient"]),
        .executable(name: "stomp-bench", targets: ["StompBench"]),
    ],
    dependencies: [],
    targets: [
        .target(name: "CScan"),
        // Glibc before 2.34 has dlopen in a library of its own; later ones, and Musl, have an empty one.
        .target(name: "CSystem", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .target(name: "STOMPCore", dependencies: ["CScan"], swiftSettings: settings),
        .target(name: "STOMPTransport", dependencies: ["CSystem", "STOMPCore"], swiftSettings: settings),
        .target(name: "STOMP", dependencies: ["STOMPCore", "STOMPTransport"], swiftSettings: settings),
        .target(name: "STOMPTesting", dependencies: ["STOMP", "STOMPCore", "STOMPTransport"], swiftSettings: settings),
        .target(name: "STOMPFoundation", dependencies: ["STOMP"], swiftSettings: settings),
        // Compiled as a user's target is by default, without the features above.
        .executableTarget(
            name: "StompBench",
            // The core for one file: what is measured in memory is below the public API.
            dependencies: ["STOMP", "STOMPCore"],
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
        // Apart from the other, since it needs Foundation, which the quickstart does without.
        .target(
            name: "ExampleCertificates",
            dependencies: ["STOMP"],
            path: "Examples/Certificates",
            swiftSettings: settings
        ),
        .target(name: "ExampleSupport", path: "Examples/Support", swiftSettings: settings),
        .executableTarget(
            name: "Quickstart",
            dependencies: ["ExampleSupport", "STOMP", "STOMPTesting"],
            path: "Examples/Quickstart",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Failover",
            dependencies: ["ExampleSupport", "STOMP", "STOMPTesting"],
            path: "Examples/Failover",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "TLSClient",
            dependencies: ["ExampleCertificates", "ExampleSupport", "STOMP", "STOMPTesting"],
            path: "Examples/TLSClient",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "WebSocket",
            dependencies: ["ExampleCertificates", "ExampleSupport", "STOMP", "STOMPTesting"],
            path: "Examples/WebSocket",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "BenchBroker",
            dependencies: ["ExampleCertificates", "ExampleSupport", "STOMP", "STOMPTesting"],
            path: "Tests/Yardstick/Broker",
            swiftSettings: settings
        ),
        .target(
            name: "TestSupport",
            dependencies: ["STOMP", "STOMPCore", "STOMPTesting", "STOMPTransport"],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        // What Tests/WorkBudget/check counts the instructions of; compiled as a user's target is by default.
        .target(name: "WorkBudgetPeer", path: "Tests/WorkBudget/Peer"),
        .executableTarget(
            name: "WorkBudget",
            dependencies: ["STOMP", "STOMPCore", "STOMPTransport", "WorkBudgetPeer"],
            path: "Tests/WorkBudget/Workload",
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
        .testTarget(
            name: "STOMPCoreTests",
            dependencies: ["STOMPCore", "CScan", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "STOMPTransportTests",
            dependencies: ["STOMPTransport", "STOMPCore", "STOMPTesting", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "STOMPTests",
            dependencies: ["STOMP", "STOMPCore", "STOMPTransport", "STOMPTesting", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "BrokerTests",
            dependencies: ["STOMP", "STOMPCore", "STOMPTesting", "TestSupport"],
            exclude: ["Scripts"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "STOMPFoundationTests",
            dependencies: ["STOMPFoundation", "STOMP", "STOMPTesting"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StompBenchTests",
            dependencies: ["StompBench", "STOMP", "STOMPTesting", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "DocumentationTests",
            dependencies: ["STOMP", "STOMPTesting"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "STOMPTestingTests",
            dependencies: ["STOMP", "STOMPTesting", "STOMPCore", "STOMPTransport", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ConformanceTests",
            dependencies: ["STOMP", "STOMPCore", "STOMPTesting", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["STOMP", "STOMPCore", "STOMPTesting", "TestSupport"],
            swiftSettings: settings
        ),
    ]
)
