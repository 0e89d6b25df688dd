// swift-tools-version: 6.1
import PackageDescription

// libtorch: a `torch` wheel's folder with `include/` and `lib/`. `Scripts/bootstrap.sh` puts one under `.deps/`.
let libtorch = Context.environment["LIBTORCH"] ?? "\(Context.packageDirectory)/.deps/libtorch"

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "ChatRex",
    platforms: [.macOS(.v14)],
    products: [],
    dependencies: [],
    targets: [
        .target(name: "Boxes", swiftSettings: swiftSettings),
        .target(name: "Evaluation", dependencies: ["Boxes"], swiftSettings: swiftSettings),
        .testTarget(name: "BoxesTests", dependencies: ["Boxes"], swiftSettings: swiftSettings),
        .testTarget(
            name: "EvaluationTests", dependencies: ["Boxes", "Evaluation"], exclude: ["Fixtures"],
            swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)
